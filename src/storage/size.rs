/// Reads `50MB`, `37.2 GB`, `1000`: decimal, as Apple's screens count; `KiB` and the like count by 1024.
///
/// # Errors
/// A sentence that says what is understood.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let unclear = || format!("{text:?} is no size: use 500KB, 50MB or 37.2GB");
    let text_end = text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let (number, unit) = (text_end.trim_end(), text.trim().get(text_end.len()..).unwrap_or_default());
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" | "byte" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err(unclear()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 12 {
        return Err(unclear());
    }
    let whole: u128 = whole.parse().map_err(|_| unclear())?;
    let scale = 10u128.pow(fraction.len() as u32);
    let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| unclear())? };
    let bytes =
        whole.checked_mul(u128::from(factor)).ok_or_else(unclear)? + part * u128::from(factor) / scale;
    u64::try_from(bytes).map_err(|_| unclear())
}

#[cfg(test)]
mod tests {
    use super::parse_bytes;

    #[test]
    fn sizes_are_decimal_as_on_apples_screens() {
        for (text, bytes) in [
            ("0", 0),
            ("1000", 1000),
            ("50MB", 50_000_000),
            ("37.2GB", 37_200_000_000),
            (" 1.5 kb ", 1500),
            ("2TB", 2_000_000_000_000),
            ("1GiB", 1 << 30),
            ("0.1b", 0),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for nonsense in ["", "MB", "-1", "1.2.3GB", "1,5GB", "5XB", "99999999999999999999", "1e9", ".5GB"] {
            assert!(parse_bytes(nonsense).unwrap_err().contains("50MB"), "{nonsense}");
        }
    }
}
