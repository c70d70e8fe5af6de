//! What happens on two devices from night to night, by chance: all that can happen to messages, conversations and attachments.

use std::fs;
use std::path::Path;

use super::device::{DAY, Device, below};
use crate::support::Schema;

/// The nights of two devices.
pub struct Nights {
    seed: u64,
    start: i64,
    /// A Mac and a phone.
    pub devices: [Device; 2],
    /// How many things there were.
    next: i64,
    chats: usize,
}

impl Nights {
    /// Two devices, in a folder each; `start`: the first night, in seconds since 2001.
    pub fn new(folder: &Path, seed: u64, start: i64) -> Nights {
        let mac = Device::new(&folder.join("mac"), Schema::MACOS_26);
        // The GUIDs of its chats are the same, or others.
        let of_phone = if seed.is_multiple_of(2) { Schema::MACOS_26 } else { Schema::MACOS_15 };
        let mut phone = Device::new(&folder.join("phone"), of_phone.on_device());
        // The phone begins with messages that are too old for its Keep Messages setting of later.
        for old in 0..12 {
            phone.receive(&format!("OLD-{old}"), old as usize % 2, start - 300 * DAY + old, "from long ago");
        }
        Nights { seed, start, devices: [mac, phone], next: 0, chats: 3 }
    }

    /// A night passes.
    pub fn pass(&mut self, night: i64) {
        let now = self.start + night * DAY;
        if night == 20 {
            self.devices[0].delete_conversation(2);
            self.chats = 2;
        }
        for _ in 0..self.below(6) + 1 {
            self.receive(now);
        }
        for _ in 0..self.below(10) {
            self.happen(now, night);
        }
        for _ in 0..self.below(4) {
            self.happen_rarely(now, night);
        }
        for _ in 0..self.below(3) {
            self.gather(now);
        }
        if night == 15 {
            let anew = self.below(2);
            self.devices[anew].make_anew(3, "iMessage;+;anew");
        }
        if night == 18 {
            // A later system on one of them, or on both.
            for device in self.some() {
                self.devices[device].be_upgraded();
            }
        }
        if night == 25 {
            // Keep Messages for 30 days: the tail goes, and is listed as deleted.
            for old in 0..12 {
                self.devices[1].remove(&format!("OLD-{old}"), true, "aged_out");
            }
        }
    }

    fn below(&mut self, n: usize) -> usize {
        below(&mut self.seed, n)
    }

    fn guid(&mut self) -> String {
        self.next += 1;
        format!("M-{}", self.next)
    }

    /// One of the devices, or both.
    fn some(&mut self) -> Vec<usize> {
        [vec![0], vec![1], vec![0, 1], vec![0, 1]][self.below(4)].clone()
    }

    /// A message of one of these devices.
    fn any_of(&mut self, of: &[usize]) -> Option<String> {
        let guids: Vec<String> =
            self.devices[of[0]].has.keys().filter(|guid| guid.starts_with("M-")).cloned().collect();
        let which = self.below(guids.len().max(1));
        guids.get(which).cloned()
    }

    /// A message comes in, perhaps with an attachment.
    fn receive(&mut self, now: i64) {
        let guid = self.guid();
        let (chat, of) = (self.below(4), self.some());
        let chat = if chat == 2 && self.chats == 2 { 1 } else { chat };
        let text = format!("message {guid}");
        let (attached, shared) = (self.below(3) == 0, self.below(8) == 0);
        for at in of {
            let when = now + self.next;
            self.devices[at].receive(&guid, chat, when, &text);
            if attached {
                self.devices[at].attach(&guid, "a.png");
                if self.below(2) == 0 {
                    let bytes = format!("bytes {}", self.below(4)).into_bytes();
                    self.devices[at].download(&guid, "a.png", &bytes);
                }
            }
            if shared {
                self.devices[at].share(&guid, &format!("M-{}", self.next - 3));
            }
        }
    }

    /// Something happens to a message, on one device or on both.
    fn happen(&mut self, now: i64, night: i64) {
        let of = self.some();
        let Some(guid) = &self.any_of(&of) else { return };
        let (what, kind) = (self.below(16), self.below(8));
        if what > 13 {
            let [mac, phone] = &mut self.devices;
            if of[0] == 0 { phone.take_back(mac, guid) } else { mac.take_back(phone, guid) }
        }
        let (new, at) = (self.guid(), now + 1 + self.next);
        let bytes = "other bytes, ".repeat(self.below(9) + 1).into_bytes();
        for device in of {
            let device = &mut self.devices[device];
            if !device.has.contains_key(guid) {
                continue;
            }
            let hidden = device.in_recently_deleted.contains(guid);
            let picture = device.picture(guid, "a.png");
            match what {
                0 | 1 if !hidden => device.edit(guid, at, &format!("edited on night {night}")),
                2 if !hidden => device.unsend(guid, at),
                3 if !hidden => device.read(guid, now + 2),
                4 if !hidden => device.recently_delete(guid, now),
                5 if hidden => device.restore(guid),
                5 | 6 => device.remove(guid, true, "deleted"),
                7 => device.remove(guid, false, "unexplained"),
                8 if !hidden => device.tapback(&new, guid, 2000 + kind as i64, at),
                9 if !hidden => device.tapback(&new, guid, 3000 + kind as i64, at),
                10 if !hidden => device.reply(&new, guid, at, "to that"),
                11 if picture.exists() => device.purge(guid, "a.png"),
                12 if picture.exists() => fs::write(picture, &bytes).unwrap(),
                12 | 13 if device.is_attached(guid) => device.download(guid, "a.png", &bytes),
                _ => {}
            }
        }
    }

    /// What happens to few messages: they are sent by another service, fail, wait for their hour, expire, lose a part.
    fn happen_rarely(&mut self, now: i64, night: i64) {
        let of = self.some();
        let (what, chat) = (self.below(9), self.below(2));
        let Some(guid) = &self.any_of(&of) else { return };
        let (new, at) = (self.guid(), now + 1 + self.next);
        for device in of {
            let device = &mut self.devices[device];
            let there = device.has.contains_key(guid) && !device.in_recently_deleted.contains(guid);
            match what {
                0 if there => device.fall_back(guid),
                1 if there => device.fail(guid, 22),
                2 if there => device.send_again(guid, at),
                3 => device.schedule(&new, chat, at + 3 * DAY, &format!("later, {new}, of night {night}")),
                4 => device.send_scheduled(at),
                5 => device.cancel_scheduled(),
                6 if there => device.expire(guid),
                7 if there => device.delete_part(guid, 1, at),
                8 if there => device.restore_part(guid, 1),
                _ => {}
            }
        }
    }

    /// Something happens to a group.
    fn gather(&mut self, now: i64) {
        let of = self.some();
        let chat = if self.chats == 2 || self.below(2) == 0 { 3 } else { 2 };
        let (what, which) = (self.below(6), self.below(4));
        let (new, at) = (self.guid(), now + 1 + self.next);
        for device in of {
            let device = &mut self.devices[device];
            match what {
                0 | 1 => device.rename(&new, chat, at, ["Boat", "Harbor", "Lake", "Sea"][which]),
                2 => device.join(&new, chat, at, which as i64 + 1),
                3 => device.leave(&new, chat, at, which as i64 + 1),
                4 => device.filter(chat, which as i64 % 3),
                _ => device.photograph(&new, chat, at, format!("photo {which}").as_bytes()),
            }
        }
    }
}
