//! An attachment of which a disk does not even tell what it is, every time that it is asked: it is not taken for one that
//! is gone.

use super::archives::{ARCHIVE, MESSAGES};
use super::scene::Scene;
use super::{Disturbed, Fault, Run};
use crate::archive::crash::{complete, library_of};
use crate::program::Program;
use crate::support::backup::{Layout, wrap};
use crate::support::{Schema, tree};

const OF_BACKUP: &[&str] = in_one_thread!["archive", "archive", "-s", "backup"];
const EXPORT: &[&str] =
    in_one_thread!["export", "-s", "library", "-f", "txt,jsonl", "-o", "out", "--contacts", "none"];

/// A library, the backup of it, and the folder of one attachment's bytes in either.
fn scene() -> (Scene, [String; 2]) {
    let scene = Scene::of(&["library", "backup", "archive", "out"]);
    let library = scene.path("library");
    library_of(Schema::OSX_10_10, &library, MESSAGES);
    wrap(&library, None, &scene.path("backup"), Layout::default());
    let folder_of = |source: &str, is_it: &dyn Fn(&[u8]) -> bool| {
        let files = tree::files(&scene.path(source));
        let (path, _) = files.iter().find(|(_, bytes)| is_it(bytes)).unwrap();
        format!("{source}/{}", path.rsplit_once('/').unwrap().0)
    };
    let picture = |bytes: &[u8]| bytes.starts_with(b"picture 10 ");
    let folders = ["library", "backup"].map(|source| folder_of(source, &picture));
    (scene, folders)
}

/// What a run did while that folder could not be read at all.
fn without(scene: &Scene, program: &Program, arguments: &[&str], folder: &str) -> Disturbed {
    let run = Run { arguments, folder, set: &|program| scene.set(program), spared: "" };
    run.disturbed(program, Fault::Dead, 1).unwrap()
}

#[test]
fn it_is_named_and_tried_again() {
    let (scene, folders) = scene();
    for (arguments, folder) in [ARCHIVE, OF_BACKUP].into_iter().zip(&folders) {
        let program = Program::in_memory();
        let Disturbed { ran, .. } = without(&scene, &program, arguments, folder);
        let ran = ran.with_code(3);
        let named: Vec<&str> = ran.err.lines().filter(|line| line.contains("cannot read")).collect();
        assert_eq!(named.len(), 1, "{}", ran.err);
        assert!(named[0].contains(folder.as_str()) && named[0].contains("Input/output error"), "{named:?}");
        let ran = program.run(arguments).with_code(0);
        assert!(ran.out.contains("1 stored that were not on the disk before"), "{}", ran.out);
        complete(&program.path().join("archive"), MESSAGES as i64);
    }
}

#[test]
fn an_export_says_that_it_could_not_read_it() {
    let (scene, [folder, _]) = scene();
    let program = Program::in_memory();
    let Disturbed { ran, .. } = without(&scene, &program, EXPORT, &folder);
    let ran = ran.with_code(3);
    let said = ran.out.replace('\n', " ");
    assert!(said.contains("1 defect was found") && said.contains("cannot read the attachment"), "{said}");
}
