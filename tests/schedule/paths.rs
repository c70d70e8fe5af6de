//! Any path comes out of every file as it went in, by the parsers of others.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use msgarchive::schedule::{Account, Every, Job, Periodicity, Plan, ScheduleError, Step, System};
use quick_xml::events::Event;

use super::{found, not_checked};

/// Names that mean something to a shell, to XML, to systemd, to cron or to Windows, and mixtures of such.
pub fn names() -> Vec<String> {
    let pieces = [
        " ",
        "'",
        "\"",
        "%",
        "%h",
        "%%",
        "$",
        "$HOME",
        "${x}",
        "$$",
        "`id`",
        "&",
        "&amp;",
        "<",
        ">",
        "]]>",
        "<!--",
        ";",
        "|",
        "*",
        "?",
        "(",
        ")",
        "[a]",
        "{a,b}",
        "#",
        "~",
        "!",
        "=",
        "\\",
        "\\n",
        "\\\\",
        "-",
        "--",
        "@",
        ":",
        "+",
        ",",
        "é",
        "e\u{301}",
        "家族",
        "👨‍👩‍👧",
        "\u{a0}",
        "\u{200b}",
        "שלום",
        "\u{202e}",
        "\u{feff}",
        "a",
    ];
    let mut names: Vec<String> = pieces.iter().map(|piece| format!("x{piece}y")).collect();
    names.extend(pieces.iter().filter(|piece| !piece.trim().is_empty()).map(|piece| (*piece).to_owned()));
    // Pseudo-random, the same each time.
    let mut state: u64 = 1;
    for _ in 0..60 {
        let mut name = String::new();
        for _ in 0..6 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            name.push_str(pieces[usize::try_from(state >> 33).unwrap() % pieces.len()]);
        }
        names.push(name);
    }
    names
}

pub fn job(system: System, program: &Path) -> Job {
    Job {
        system,
        program: program.to_owned(),
        archive: program.with_extension("archive"),
        sources: Vec::new(),
        contacts: None,
        export: None,
        password_file: None,
        when: Periodicity { every: Every::Day, at: "02:30".parse().unwrap() },
        on_failure: None,
    }
}

pub fn account(home: &Path) -> Account {
    Account { home: home.to_owned(), config_home: None, state_home: None, local_app_data: None, uid: 501 }
}

/// The file of a plan whose name ends so.
pub fn file(plan: &Plan, ending: &str) -> Vec<u8> {
    let file = |step: &Step| match step {
        Step::Write { path, bytes } if path.to_string_lossy().ends_with(ending) => Some(bytes.clone()),
        _ => None,
    };
    plan.steps.iter().find_map(file).unwrap()
}

/// What the scheduler has to start: the program, and the job's file.
fn expected(system: System, program: &Path, account: &Account) -> Vec<String> {
    let job = account.folder(system).join("schedule.json");
    let words = [program.to_str().unwrap(), "schedule", "run", "--job", job.to_str().unwrap()];
    // Those come at other times, too.
    let if_due = matches!(system, System::Launchd | System::Systemd).then_some("--if-due");
    words.into_iter().chain(if_due).map(str::to_owned).collect()
}

/// A plan for every name, as the program's and as the home's: with what is expected.
fn plans(system: System, root: &Path) -> Vec<(Plan, Vec<String>, PathBuf)> {
    let names = names();
    let mut plans = Vec::new();
    for name in &names {
        let home = root.join(format!("home {name}"));
        let (program, account) = (root.join("bin").join(name), account(&home));
        match Plan::install(&job(system, &program), &account) {
            Ok(plan) => plans.push((plan, expected(system, &program, &account), program)),
            Err(ScheduleError::Path { path, why }) => match system {
                System::Systemd => assert!(path.contains(['"', '\'', '\\']), "{path}: {why}"),
                System::TaskScheduler => {
                    assert!(path.matches('%').count() > 1 || path.contains("$("), "{path}: {why}");
                }
                System::Launchd | System::Cron => panic!("{path}: {why}"),
            },
            Err(error) => panic!("{error}"),
        }
    }
    assert!(plans.len() > names.len() / 3);
    plans
}

#[test]
fn launchd() {
    let folder = tempfile::tempdir().unwrap();
    let mut wanted = Vec::new();
    for (i, (plan, words, _)) in plans(System::Launchd, Path::new("/r")).into_iter().enumerate() {
        let bytes = file(&plan, ".plist");
        let value = plist::Value::from_reader_xml(bytes.as_slice()).unwrap();
        let agent = value.as_dictionary().unwrap();
        let arguments = agent["ProgramArguments"].as_array().unwrap();
        assert_eq!(arguments.iter().map(|word| word.as_string().unwrap()).collect::<Vec<_>>(), words);
        let log = agent["StandardErrorPath"].as_string().unwrap();
        assert_eq!(Path::new(log).parent(), Path::new(&words[4]).parent());
        for key in ["RunAtLoad", "LowPriorityIO"] {
            assert_eq!(agent[key].as_boolean(), Some(true));
        }
        assert_eq!(agent["ProcessType"].as_string(), Some("Background"));
        assert_eq!(agent["Umask"].as_unsigned_integer(), Some(0o077));
        let at = agent["StartCalendarInterval"].as_dictionary().unwrap();
        assert_eq!(
            (at["Hour"].as_unsigned_integer(), at["Minute"].as_unsigned_integer()),
            (Some(2), Some(30))
        );
        assert!(!at.contains_key("Weekday"));
        fs::write(folder.path().join(format!("{i}.plist")), bytes).unwrap();
        wanted.push(words);
    }
    // Apple's own checker where it is (GNUstep has a program of that name, which is another one), and one that is neither ours
    // nor the one above.
    if let Some(plutil) = found("plutil").filter(|_| cfg!(target_os = "macos")) {
        let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let ran = Command::new(plutil).arg("-lint").args(files).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    }
    obeys_the_form_of_property_lists(folder.path());
    let Some(python) = found("python3") else { return not_checked("launchd's file by Python", "python3") };
    let script = "import json, plistlib, sys
print(json.dumps([plistlib.load(open(f'{sys.argv[1]}/{i}.plist', 'rb'))['ProgramArguments']
    for i in range(int(sys.argv[2]))]))";
    let ran =
        Command::new(python).args(["-c", script]).arg(folder.path()).arg(wanted.len().to_string()).output();
    let ran = ran.unwrap();
    let said: Vec<Vec<String>> = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&ran.stderr)));
    assert_eq!(said, wanted);
}

/// All files in a folder, by Apple's document type.
fn obeys_the_form_of_property_lists(folder: &Path) {
    let Some(xmllint) = found("xmllint") else { return not_checked("launchd's file by its form", "xmllint") };
    let form = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schedule/plist.dtd");
    let check = |files: &[PathBuf]| {
        Command::new(&xmllint)
            .args(["--noout", "--nonet", "--dtdvalid"])
            .arg(&form)
            .args(files)
            .output()
            .unwrap()
    };
    let files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let ran = check(&files);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    // It would have found something.
    let wrong = folder.join("wrong");
    fs::write(&wrong, fs::read_to_string(&files[0]).unwrap().replace("<true/>", "<yes/>")).unwrap();
    assert!(!check(&[wrong]).status.success());
}

#[test]
fn systemd() {
    let Some(systemd) = found("systemd") else { return not_checked("systemd's reading of paths", "systemd") };
    let folder = tempfile::tempdir().unwrap();
    let units = units_in(folder.path());
    let mut wanted = Vec::new();
    for (i, (plan, words, program)) in plans(System::Systemd, Path::new("/r")).into_iter().enumerate() {
        fs::write(units.join(format!("n{i:03}.service")), file(&plan, ".service")).unwrap();
        wanted.push((words, program.with_extension("archive")));
    }
    let dump = read_by(&systemd, folder.path());
    for (i, (words, archive)) in wanted.iter().enumerate() {
        let unit = shown(&dump, &format!("n{i:03}.service"));
        assert_eq!(&started_by(unit), words, "{unit}");
        let writes = unit.lines().find_map(|line| line.trim_start().strip_prefix("ReadWritePaths: "));
        assert!(writes.unwrap().contains(&format!(" -{} -/tmp -/var/tmp", archive.display())), "{unit}");
    }
}

/// There is no user's systemd in most places where tests run: so it reads the unit, and what it has read is run.
#[test]
fn a_service_runs_as_systemd_reads_it() {
    let Some(systemd) = found("systemd") else { return not_checked("A job as systemd reads it", "systemd") };
    let stage = super::stage::Stage::new();
    let place = stage.path("100% Zoë & $HOME <x> `id` ~");
    let home = place.join("home");
    fs::create_dir_all(&home).unwrap();
    let program = place.join("msgarchive");
    fs::copy(env!("CARGO_BIN_EXE_msgarchive"), &program).unwrap();
    let plan = Plan::install(&job(System::Systemd, &program), &account(&home)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(units_in(folder.path()).join("n.service"), file(&plan, ".service")).unwrap();
    let words = started_by(shown(&read_by(&systemd, folder.path()), "n.service"));

    let schedule = home.join(".local/state/msgarchive/schedule");
    fs::create_dir_all(&schedule).unwrap();
    let fed = place.join("fed");
    super::stage::script_at(&fed, "echo '{\"added\":4}'");
    let job = Job { system: System::Systemd, ..self::job(System::Systemd, &fed) };
    let plan = Plan::install(&job, &account(&home)).unwrap();
    fs::write(schedule.join("schedule.json"), file(&plan, "schedule.json")).unwrap();
    fs::write(schedule.join("asked"), "").unwrap();
    let ran = Command::new(&words[0]).args(&words[1..]).env_clear().env("HOME", &home).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "new messages: 4\n");
    let attempts = fs::read_to_string(schedule.join("attempts.json")).unwrap();
    assert!(attempts.contains("\"exit\": 0"), "{attempts}");
}

/// The folder for units below a folder that stands for the configuration.
fn units_in(folder: &Path) -> PathBuf {
    let units = folder.join("systemd/user");
    fs::create_dir_all(&units).unwrap();
    units
}

/// Has systemd read all services there, and show what it has read; it does that for everybody but root.
fn read_by(systemd: &Path, folder: &Path) -> String {
    let units = folder.join("systemd/user");
    let services = fs::read_dir(&units).unwrap().map(|entry| entry.unwrap().file_name());
    let wants: String = services.map(|name| format!("Wants={}\n", name.display())).collect();
    fs::write(units.join("all.target"), format!("[Unit]\n{wants}")).unwrap();
    let runtime = folder.join("run");
    fs::create_dir(&runtime).unwrap();
    for path in [folder, &runtime] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let as_nobody: &[&str] = match is_root() {
        true => &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
        false => &["env"],
    };
    let ran = Command::new(as_nobody[0])
        .args(&as_nobody[1..])
        .arg(systemd)
        .args(["--user", "--test", "--unit=all.target", "--log-level=debug", "--log-target=console"])
        .env("XDG_CONFIG_HOME", folder)
        .env("XDG_RUNTIME_DIR", &runtime)
        .env("HOME", folder)
        .env("SYSTEMD_PAGER", "cat")
        .output()
        .unwrap();
    String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned()
}

/// What it shows of one unit.
#[track_caller]
fn shown<'a>(dump: &'a str, name: &str) -> &'a str {
    let unit = dump.split("-> Unit ").find(|unit| unit.starts_with(&format!("{name}:")));
    unit.unwrap_or_else(|| panic!("systemd does not show {name}: {dump}"))
}

/// The words that it would start. It shows them for a shell, and what it will take for variables is still in them.
fn started_by(unit: &str) -> Vec<String> {
    let line = unit.lines().find_map(|line| line.trim().strip_prefix("Command Line:")).unwrap_or_default();
    let mut words = words_of(line);
    words.iter_mut().skip(1).for_each(|word| *word = word.replace("$$", "$"));
    words
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// What a shell makes of a line: words.
fn words_of(line: &str) -> Vec<String> {
    let script = format!("for w in {line}; do printf '%s\\0' \"$w\"; done");
    let ran = Command::new("/bin/sh").env_clear().args(["-c", &script]).output().unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    out.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn task_scheduler() {
    for (plan, words, _) in plans(System::TaskScheduler, Path::new("/r")) {
        let wide = file(&plan, "task.xml");
        let units: Vec<u16> = wide.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        let text = String::from_utf16(&units).unwrap();
        let text = text.strip_prefix('\u{feff}').unwrap();
        let (program, arguments) = (element(text, "Command"), element(text, "Arguments"));
        assert_eq!(program, words[0]);
        assert_eq!(arguments_on_windows(&arguments), words[1..]);
    }
}

/// The text of an element.
fn element(xml: &str, name: &str) -> String {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut inside, mut text) = (false, String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => inside = start.name().as_ref() == name,
            Event::Text(part) if inside => text.push_str(&part),
            Event::GeneralRef(reference) if inside => match reference.resolve_char_ref().unwrap() {
                Some(c) => text.push(c),
                None => {
                    text.push_str(quick_xml::escape::resolve_predefined_entity(&reference).unwrap());
                }
            },
            Event::End(_) if inside => return text,
            Event::Eof => panic!("there is no {name}"),
            _ => {}
        }
    }
}

/// As Microsoft describes it ("Parsing C command-line arguments"): 2n backslashes and a quotation mark are n and an end
/// or a beginning; one more is a quotation mark.
fn arguments_on_windows(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut begun, mut quoted, mut backslashes) = (String::new(), false, false, 0);
    for c in line.chars().chain([' ']) {
        if c == '\\' {
            backslashes += 1;
            begun = true;
            continue;
        }
        let written = if c == '"' { backslashes / 2 } else { backslashes };
        word.extend(std::iter::repeat_n('\\', written));
        match c {
            '"' if backslashes % 2 == 1 => word.push('"'),
            '"' => (quoted, begun) = (!quoted, true),
            ' ' | '\t' if !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            c => {
                word.push(c);
                begun = true;
            }
        }
        backslashes = 0;
    }
    assert!(!quoted, "{line}");
    words
}

#[test]
fn cron() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("bin")).unwrap();
    for (plan, words, program) in plans(System::Cron, folder.path()) {
        let line = plan.steps.iter().find_map(|step| match step {
            Step::Crontab(Some(line)) => Some(line.clone()),
            _ => None,
        });
        let line = line.unwrap();
        let (_, line) = line.split_once('\n').unwrap();
        let (line, end) = line.split_once('\n').unwrap();
        assert_eq!(end, "# END msgarchive schedule\n");
        let command = line.strip_prefix("30 2 * * * ").unwrap();
        // No cron has anything to take for its own.
        assert!(!command.contains('%'), "{command}");
        super::stage::script_at(&program, "for w in \"$0\" \"$@\"; do printf '%s\\0' \"$w\"; done");
        let schedule = Path::new(&words[4]).parent().unwrap();
        fs::create_dir_all(schedule).unwrap();
        let log = schedule.join("scheduler.log");
        let run = || Command::new("/bin/sh").env_clear().arg("-c").arg(command).status().unwrap();
        let mut ran = run();
        for _ in 0..100 {
            // Busy: a child that another test just forked still holds the script open for writing.
            if ran.code() != Some(126) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
            fs::remove_file(&log).unwrap();
            ran = run();
        }
        assert!(ran.success(), "{command}");
        let said = fs::read_to_string(&log).unwrap();
        assert_eq!(said.split_terminator('\0').collect::<Vec<_>>(), words, "{command}");
    }
}

#[test]
fn what_a_scheduler_cannot_be_told_is_refused() {
    let refused = |system, program: &str| {
        let plan = Plan::install(&job(system, Path::new(program)), &account(Path::new("/home/ana")));
        matches!(plan, Err(ScheduleError::Path { .. }))
    };
    for (_, system) in System::NAMES {
        assert!(refused(*system, "/a\nb") && refused(*system, "/a\u{1}b"));
        assert!(!refused(*system, "/usr/bin/msgarchive"));
    }
    assert!(refused(System::Systemd, "/it's/msgarchive"));
    assert!(refused(System::TaskScheduler, "/%TEMP%/msgarchive"));
    assert!(refused(System::Cron, &format!("/{}/msgarchive", "long/".repeat(200))));
}
