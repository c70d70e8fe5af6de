//! The column `file` of `Manifest.db` (`ios-backup-format.md` 4.1).

use crate::property_list::{Object, Plist, References, Value};

/// What is needed of an `MBFile`.
pub(super) struct MbFile {
    pub mode: Option<i64>,
    pub size: Option<u64>,
    pub wrapped_key: Option<Vec<u8>>,
}

/// The column `file`: a keyed archive of an `MBFile`.
pub(super) fn mb_file(archive: &[u8]) -> Option<MbFile> {
    let archive = Plist::read(archive.into())?;
    let Value::Array(objects) = archive.root().get("$objects")?.value() else { return None };
    let root = resolved(objects, archive.root().get("$top")?.get("root")?)?;
    let number = |key| match root.get(key).map(Object::value) {
        Some(Value::Int(number)) => Some(number),
        _ => None,
    };
    // Raw, or in an NSData.
    let data = |key| {
        let key = resolved(objects, key)?;
        match key.get("NS.data").and_then(|data| resolved(objects, data)).unwrap_or(key).value() {
            Value::Data(data) => Some(data.to_vec()),
            _ => None,
        }
    };
    let wrapped_key = root.get("EncryptionKey").map(|key| data(key).unwrap_or_default());
    let size = number("Size").and_then(|size| u64::try_from(size).ok());
    Some(MbFile { mode: number("Mode"), size, wrapped_key })
}

/// Follows a reference to one of an archive's objects.
fn resolved<'p>(objects: References<'p>, object: Object<'p>) -> Option<Object<'p>> {
    match object.value() {
        Value::Uid(number) => objects.get(usize::try_from(number).ok()?),
        _ => Some(object),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive of an `MBFile` that says where its key is.
    fn archive(root: plist::Dictionary, others: Vec<plist::Value>) -> Vec<u8> {
        use plist::{Dictionary, Uid, Value};
        let mut objects = vec![Value::from("$null"), Value::Dictionary(root)];
        objects.extend(others);
        let mut top = Dictionary::new();
        top.insert("root".into(), Value::Uid(Uid::new(1)));
        let mut archive = Dictionary::new();
        archive.insert("$top".into(), Value::Dictionary(top));
        archive.insert("$objects".into(), Value::Array(objects));
        let mut bytes = Vec::new();
        Value::Dictionary(archive).to_writer_binary(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn keys_are_read_raw_and_in_an_object() {
        use plist::{Dictionary, Uid, Value};
        let key = Value::Data(vec![7; 44]);
        let of = |key: Value| {
            let mut root = Dictionary::new();
            root.insert("Mode".into(), 0x81A4.into());
            root.insert("EncryptionKey".into(), key);
            root
        };
        let mut data = Dictionary::new();
        data.insert("NS.data".into(), key.clone());
        let referenced = |object| archive(of(Value::Uid(Uid::new(2))), vec![object]);
        for bytes in [
            referenced(key.clone()),
            referenced(Value::Dictionary(data.clone())),
            archive(of(key.clone()), Vec::new()),
            archive(of(Value::Dictionary(data)), Vec::new()),
        ] {
            let about = mb_file(&bytes).unwrap();
            assert_eq!((about.mode, about.wrapped_key), (Some(0x81A4), Some(vec![7; 44])));
        }
        let nothing = mb_file(&archive(of(Value::Uid(Uid::new(9))), Vec::new())).unwrap();
        assert_eq!(nothing.wrapped_key, Some(Vec::new()));
    }

    /// Lists in each other, none of which ends: whoever built a tree of them would not come back.
    #[test]
    fn archives_made_to_hurt_cost_nothing() {
        let mut bytes = b"bplist00".to_vec();
        let levels = 200_000_u32;
        for level in 1..=levels {
            bytes.push(0xA1);
            bytes.extend((level % levels).to_be_bytes());
        }
        let table = bytes.len() as u64;
        (0..levels).for_each(|level| bytes.extend((8 + 5 * level).to_be_bytes()));
        bytes.extend([0, 0, 0, 0, 0, 0, 4, 4]);
        for word in [u64::from(levels), 0, table] {
            bytes.extend(word.to_be_bytes());
        }
        assert!(mb_file(&bytes).is_none());
    }
}
