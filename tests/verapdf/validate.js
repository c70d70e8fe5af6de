// Validates PDFs with veraPDF: `FLAVOUR FILE…`, where the flavour is such as `2u`. Runs in the JavaScript that veraPDF
// brings along, so that no compiler is needed.
//
// Prints a line for each file, and under it one for each rule that it breaks: how often, and the first place.
importPackage(Packages.org.verapdf.pdfa);

java.util.logging.LogManager.getLogManager().reset();
Packages.org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider.initialise();
var flavour = Packages.org.verapdf.pdfa.flavours.PDFAFlavour.fromString(arguments[0]);

for (var i = 1; i < arguments.length; i++) {
    var foundry = Foundries.defaultInstance();
    var parser = foundry.createParser(new java.io.File(arguments[i]), flavour);
    var validator = foundry.createValidator(flavour, 1, false, false, false);
    var result = validator.validate(parser);
    var verdict = result.isCompliant() ? "valid" : "invalid";
    print(verdict + " " + flavour + " " + arguments[i] + ": " + result.getTotalAssertions() + " checks");
    var broken = result.getFailedChecks();
    for (var found = result.getTestAssertions().iterator(); found.hasNext(); ) {
        var one = found.next();
        var rule = one.getRuleId();
        var where = one.getLocation().getContext();
        var what = one.getMessage().replaceAll("\\s+", " ");
        print("  " + rule.getClause() + "-" + rule.getTestNumber() + ", " + broken.get(rule) + " times: " + what + " " + where);
    }
    validator.close();
    parser.close();
}
