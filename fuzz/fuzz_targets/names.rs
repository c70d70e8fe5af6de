//! URLs and the names of files, of any text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use msgarchive::disk::{MAX_NAME, portable_name};
use msgarchive::pipeline::decode::url::{base64, data, has_scheme, query, resolve};

fuzz_target!(|text: &str| {
    let (base, reference) = text.split_once('\n').unwrap_or((text, ""));
    let resolved = resolve(base, reference);
    assert!(resolved.ends_with(reference));
    assert!(has_scheme(&resolved) || !has_scheme(base) || reference.is_empty());
    query(text);
    data(text);
    base64(text);

    let ending = " [c-1f3a9b2c].pdf";
    let name = portable_name(text, ending);
    assert!(name.len() <= MAX_NAME && name.ends_with(ending) && name.len() > ending.len());
    assert!(!name.starts_with('.') && !name.contains(['/', '\\', ':', '\0']));
    assert_eq!(portable_name(name.strip_suffix(ending).unwrap_or_default(), ending), name, "named twice");
});
