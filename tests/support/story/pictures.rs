//! What the keepers photographed.

use super::super::picture::{Canvas, Color};

const WHITE: Color = [250, 248, 242];
const RED: Color = [196, 58, 49];
const INK: Color = [38, 44, 56];

/// Skerry Light by day: tower, rock, sea.
pub fn lighthouse() -> Vec<u8> {
    let mut c = Canvas::new(480, 360, WHITE);
    c.gradient(0, 240, [120, 178, 226], [233, 240, 240])
        .circle([255, 236, 170], 96.0, 78.0, 34.0)
        .ellipse(WHITE, 360.0, 70.0, 60.0, 16.0)
        .ellipse(WHITE, 398.0, 58.0, 40.0, 18.0)
        .gradient(240, 360, [58, 122, 160], [24, 66, 104])
        .ellipse([104, 98, 92], 250.0, 300.0, 170.0, 62.0)
        .ellipse([122, 140, 96], 250.0, 276.0, 120.0, 26.0);
    tower(&mut c, 250.0, 96.0, 270.0);
    for (x, y) in [(70.0, 276.0), (420.0, 268.0), (120.0, 330.0), (390.0, 336.0)] {
        c.line([220, 234, 240], (x - 26.0, y), (x + 26.0, y), 2.0);
    }
    c.to_jpeg(72)
}

/// The same by night, with its beam.
pub fn lighthouse_at_night() -> Vec<u8> {
    let mut c = Canvas::new(480, 360, INK);
    c.gradient(0, 250, [12, 18, 48], [44, 56, 98]).circle([244, 240, 214], 390.0, 64.0, 26.0).circle(
        [14, 20, 52],
        380.0,
        56.0,
        24.0,
    );
    for n in 0..60_u64 {
        let bits = super::super::chatdb::mix(n + 5);
        c.circle([230, 232, 250], (bits % 480) as f32, (bits / 480 % 220) as f32, 0.9);
    }
    c.polygon([250, 238, 170], &[(252.0, 100.0), (480.0, 66.0), (480.0, 150.0), (252.0, 108.0)])
        .polygon([236, 222, 150], &[(0.0, 70.0), (248.0, 100.0), (248.0, 108.0), (0.0, 146.0)])
        .gradient(250, 360, [26, 40, 76], [8, 14, 32])
        .ellipse([32, 32, 40], 250.0, 300.0, 170.0, 58.0);
    tower(&mut c, 250.0, 96.0, 270.0);
    c.to_jpeg(72)
}

/// A red and white tower from its lamp at `top` down to `bottom`.
fn tower(c: &mut Canvas, x: f32, top: f32, bottom: f32) {
    let half = |y: f32| 16.0 + 14.0 * (y - top) / (bottom - top);
    let bands = 6;
    let height = (bottom - top - 24.0) / bands as f32;
    for band in 0..bands {
        let (a, b) = (top + 24.0 + height * band as f32, top + 24.0 + height * (band + 1) as f32);
        let color = if band % 2 == 0 { RED } else { WHITE };
        c.polygon(color, &[(x - half(a), a), (x + half(a), a), (x + half(b), b), (x - half(b), b)]);
    }
    c.rectangle(INK, x - 22.0, top + 18.0, 44.0, 6.0)
        .rectangle([250, 226, 130], x - 11.0, top - 4.0, 22.0, 22.0)
        .polygon(RED, &[(x - 16.0, top - 4.0), (x, top - 22.0), (x + 16.0, top - 4.0)])
        .rectangle(INK, x - 6.0, bottom - 26.0, 12.0, 26.0);
}

/// Bosun, asleep on the flour.
pub fn cat() -> Vec<u8> {
    let fur = [226, 148, 76];
    let stripe = [190, 110, 50];
    let mut c = Canvas::new(420, 320, [206, 220, 214]);
    c.rectangle([170, 132, 98], 0.0, 236.0, 420.0, 84.0)
        .rectangle([240, 236, 222], 60.0, 200.0, 300.0, 70.0)
        .ellipse(fur, 220.0, 190.0, 130.0, 62.0)
        .line(fur, (330.0, 210.0), (372.0, 168.0), 22.0)
        .line(fur, (372.0, 168.0), (362.0, 120.0), 20.0);
    for x in [210.0, 246.0, 282.0] {
        c.line(stripe, (x, 134.0), (x + 8.0, 168.0), 8.0);
    }
    c.polygon(fur, &[(84.0, 140.0), (92.0, 78.0), (132.0, 112.0)])
        .polygon(fur, &[(140.0, 112.0), (182.0, 80.0), (186.0, 142.0)])
        .polygon([244, 190, 170], &[(96.0, 124.0), (99.0, 96.0), (118.0, 112.0)])
        .polygon([244, 190, 170], &[(154.0, 112.0), (173.0, 96.0), (175.0, 124.0)])
        .circle(fur, 136.0, 158.0, 58.0)
        .ellipse([250, 232, 208], 136.0, 182.0, 34.0, 24.0)
        .line(INK, (104.0, 154.0), (122.0, 158.0), 3.5)
        .line(INK, (150.0, 158.0), (168.0, 154.0), 3.5)
        .polygon([214, 110, 110], &[(128.0, 170.0), (144.0, 170.0), (136.0, 179.0)])
        .line(INK, (136.0, 179.0), (128.0, 187.0), 2.5)
        .line(INK, (136.0, 179.0), (144.0, 187.0), 2.5);
    for y in [172.0, 180.0, 188.0] {
        c.line(INK, (112.0, y), (70.0, y - 4.0), 1.4).line(INK, (160.0, y), (202.0, y - 4.0), 1.4);
    }
    c.to_jpeg(74)
}

/// The birthday cake, three tiers and candles.
pub fn cake() -> Vec<u8> {
    let mut c = Canvas::new(420, 340, [250, 228, 220]);
    c.gradient(0, 340, [254, 240, 226], [240, 198, 190])
        .ellipse(WHITE, 210.0, 296.0, 170.0, 22.0)
        .rectangle([122, 74, 50], 70.0, 220.0, 280.0, 74.0)
        .rectangle([250, 240, 226], 70.0, 208.0, 280.0, 24.0)
        .rectangle([140, 88, 60], 110.0, 150.0, 200.0, 62.0)
        .rectangle([250, 240, 226], 110.0, 138.0, 200.0, 22.0)
        .rectangle([158, 100, 70], 150.0, 92.0, 120.0, 50.0)
        .rectangle([250, 240, 226], 150.0, 82.0, 120.0, 20.0);
    for n in 0..14 {
        c.ellipse([250, 240, 226], 80.0 + 20.0 * n as f32, 232.0, 10.0, 9.0 + (n % 3) as f32 * 4.0);
    }
    for n in 0..10 {
        c.ellipse([250, 240, 226], 120.0 + 20.0 * n as f32, 160.0, 10.0, 8.0 + (n % 2) as f32 * 5.0).circle(
            RED,
            92.0 + 26.0 * n as f32,
            262.0,
            7.0,
        );
    }
    for (n, color) in [[90, 150, 200], [230, 180, 60], [120, 170, 110]].into_iter().enumerate() {
        let x = 178.0 + 32.0 * n as f32;
        c.rectangle(color, x - 4.0, 48.0, 8.0, 36.0).ellipse([255, 196, 70], x, 36.0, 7.0, 12.0).ellipse(
            [255, 240, 180],
            x,
            40.0,
            3.0,
            6.0,
        );
    }
    c.to_jpeg(74)
}

/// The delivery bicycle.
pub fn bicycle() -> Vec<u8> {
    let mut c = Canvas::new(480, 320, WHITE);
    let frame = [40, 120, 112];
    c.gradient(0, 230, [250, 214, 160], [252, 240, 220])
        .rectangle([150, 168, 120], 0.0, 230.0, 480.0, 90.0)
        .rectangle([196, 184, 160], 0.0, 252.0, 480.0, 34.0);
    for x in [140.0, 350.0] {
        c.ring(INK, x, 214.0, 58.0, 7.0).circle(INK, x, 214.0, 7.0);
        for (dx, dy) in [(1.0, 0.0), (0.7, 0.7), (0.0, 1.0), (-0.7, 0.7)] {
            let (dx, dy) = (56.0 * dx, 56.0 * dy);
            c.line([120, 120, 124], (x - dx, 214.0 - dy), (x + dx, 214.0 + dy), 1.2);
        }
    }
    for (from, to) in [
        ((140.0, 214.0), (206.0, 120.0)),
        ((206.0, 120.0), (236.0, 214.0)),
        ((140.0, 214.0), (236.0, 214.0)),
        ((206.0, 132.0), (326.0, 124.0)),
        ((236.0, 214.0), (326.0, 130.0)),
        ((322.0, 96.0), (350.0, 214.0)),
    ] {
        c.line(frame, from, to, 8.0);
    }
    c.line(INK, (322.0, 96.0), (296.0, 84.0), 7.0)
        .line(INK, (186.0, 112.0), (228.0, 112.0), 11.0)
        .rectangle([170, 120, 70], 336.0, 92.0, 84.0, 48.0)
        .line([214, 160, 90], (352.0, 92.0), (372.0, 52.0), 13.0)
        .line([226, 176, 104], (378.0, 92.0), (388.0, 46.0), 13.0)
        .line([206, 150, 80], (402.0, 92.0), (410.0, 58.0), 13.0);
    c.to_jpeg(74)
}

/// A loaf, round, with a cross cut into it.
pub fn loaf() -> Vec<u8> {
    let mut c = Canvas::new(400, 300, [92, 98, 110]);
    c.ellipse([70, 74, 84], 204.0, 196.0, 150.0, 70.0)
        .ellipse([150, 92, 44], 200.0, 160.0, 146.0, 96.0)
        .ellipse([190, 126, 66], 196.0, 148.0, 128.0, 78.0)
        .line([240, 214, 160], (120.0, 130.0), (280.0, 170.0), 12.0)
        .line([240, 214, 160], (236.0, 90.0), (160.0, 208.0), 12.0);
    for n in 0..120_u64 {
        let bits = super::super::chatdb::mix(n + 900);
        c.circle([250, 240, 224], 110.0 + (bits % 180) as f32, 96.0 + (bits / 180 % 110) as f32, 1.3);
    }
    c.to_jpeg(74)
}

/// The first loaf. Nobody speaks of it.
pub fn burnt_loaf() -> Vec<u8> {
    let mut c = Canvas::new(320, 240, [176, 168, 156]);
    c.ellipse([34, 30, 28], 160.0, 136.0, 110.0, 66.0)
        .ellipse([52, 46, 42], 150.0, 122.0, 84.0, 44.0)
        .line([120, 112, 104], (120.0, 60.0), (108.0, 18.0), 7.0)
        .line([132, 124, 116], (168.0, 56.0), (180.0, 12.0), 7.0);
    c.to_png()
}

/// The club's picture: a rolling pin before a lamp.
pub fn emblem() -> Vec<u8> {
    let mut c = Canvas::new(200, 200, [28, 72, 98]);
    c.circle([250, 226, 130], 100.0, 92.0, 56.0)
        .circle([252, 240, 190], 100.0, 92.0, 38.0)
        .line([206, 150, 90], (52.0, 150.0), (148.0, 110.0), 26.0)
        .line([150, 100, 56], (30.0, 159.0), (50.0, 151.0), 10.0)
        .line([150, 100, 56], (150.0, 109.0), (170.0, 101.0), 10.0);
    c.to_png()
}

/// A sticker: a croissant that smiles.
pub fn croissant() -> Vec<u8> {
    let mut c = Canvas::new(160, 160, [255, 255, 255]);
    c.ring([214, 150, 70], 80.0, 96.0, 46.0, 34.0)
        .rectangle([255, 255, 255], 0.0, 100.0, 160.0, 60.0)
        .line([176, 112, 44], (50.0, 72.0), (62.0, 92.0), 4.0)
        .line([176, 112, 44], (80.0, 46.0), (80.0, 64.0), 4.0)
        .line([176, 112, 44], (110.0, 72.0), (98.0, 92.0), 4.0)
        .circle(INK, 66.0, 64.0, 4.0)
        .circle(INK, 94.0, 64.0, 4.0);
    c.to_png()
}

/// Ana's sunset from the ferry.
pub fn sunset() -> Vec<u8> {
    let mut c = Canvas::new(480, 300, INK);
    c.gradient(0, 110, [72, 60, 116], [228, 120, 96])
        .gradient(110, 180, [228, 120, 96], [252, 206, 120])
        .circle([255, 232, 150], 250.0, 168.0, 44.0)
        .gradient(180, 300, [206, 130, 104], [52, 54, 94]);
    for n in 0..9 {
        let y = 190.0 + 11.0 * n as f32;
        let half = 66.0 - 5.0 * n as f32;
        c.line([255, 222, 150], (250.0 - half, y), (250.0 + half, y), 2.4);
    }
    c.polygon([40, 36, 60], &[(0.0, 170.0), (60.0, 146.0), (130.0, 180.0), (0.0, 182.0)])
        .line(INK, (330.0, 70.0), (346.0, 80.0), 3.0)
        .line(INK, (346.0, 80.0), (362.0, 70.0), 3.0)
        .line(INK, (384.0, 96.0), (396.0, 104.0), 3.0)
        .line(INK, (396.0, 104.0), (408.0, 96.0), 3.0);
    c.to_jpeg(74)
}

/// The picture of a link's preview.
pub fn recipe_card() -> Vec<u8> {
    let mut c = Canvas::new(320, 168, [246, 234, 208]);
    c.rectangle([196, 58, 49], 0.0, 0.0, 320.0, 36.0).circle([190, 126, 66], 246.0, 104.0, 44.0).circle(
        [226, 170, 100],
        246.0,
        100.0,
        34.0,
    );
    for (n, width) in [150.0, 120.0, 164.0, 90.0].into_iter().enumerate() {
        let y = 60.0 + 24.0 * n as f32;
        c.line([150, 130, 100], (22.0, y), (22.0 + width, y), 6.0);
    }
    c.to_jpeg(74)
}

/// One page that says what to do with rye, as PDF.
pub fn recipe_pdf() -> Vec<u8> {
    let lines = [
        "BT /F1 20 Tf 60 760 Td (Skerry Light Rye) Tj ET",
        "BT /F1 12 Tf 60 724 Td (500 g rye flour, 400 g water, 10 g salt, one lively starter.) Tj ET",
        "BT /F1 12 Tf 60 704 Td (Fold. Wait for the tide to turn. Fold again.) Tj ET",
        "BT /F1 12 Tf 60 684 Td (Bake at 230 degrees, 50 minutes. Keep the cat off the flour.) Tj ET",
    ]
    .join("\n");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{lines}\nendstream", lines.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = "%PDF-1.4\n".to_owned();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let table = out.len();
    out.push_str("xref\n0 6\n0000000000 65535 f \n");
    for offset in offsets {
        out.push_str(&format!("{offset:010} 00000 n \n"));
    }
    out.push_str(&format!("trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n"));
    out.into_bytes()
}

/// Two blasts of a foghorn: Core Audio Format, 8 kHz, 8 bits.
pub fn foghorn() -> Vec<u8> {
    let mut samples = Vec::new();
    for n in 0..12_000_u32 {
        let on = !(4800..7200).contains(&n);
        // A square wave of 100 Hz, softened by its neighbor at 67.
        let wave = i32::from(n / 40 % 2 == 0) + i32::from(n / 60 % 2 == 0) - 1;
        samples.push(if on { (wave * 60) as i8 as u8 } else { 0 });
    }
    let mut out = b"caff\0\x01\0\0".to_vec();
    out.extend(b"desc\0\0\0\0\0\0\0\x20");
    out.extend(8000_f64.to_be_bytes());
    out.extend(b"lpcm");
    for field in [0_u32, 1, 1, 1, 8] {
        out.extend(field.to_be_bytes());
    }
    out.extend(b"data");
    out.extend((samples.len() as u64 + 4).to_be_bytes());
    out.extend([0; 4]);
    out.extend(samples);
    out
}
