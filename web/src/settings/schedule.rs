//! Announced broadcasts. Kept from now on; shown once there is a schedule.

use super::setting::{Setting, setting};
use crate::shape::Shape;

/// Longest reminder, characters.
const REMINDER_MAX: usize = 500;

/// See the module. `Default` is a new server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The page shows what is planned.
    pub enabled: bool,
    /// It counts down to the next.
    pub show_countdown: bool,
    /// The chat opens so many minutes before.
    pub chat_open_minutes: u16,
    /// What reminders say.
    pub reminder_message: String,
    /// The first is sent so many minutes before; 0 for none.
    pub first_reminder_minutes: u16,
    /// The second is sent so many minutes before; 0 for none.
    pub second_reminder_minutes: u16,
}

const REMINDERS: Shape = Shape::Choice(&[0, 15, 30, 60, 120, 1_440]);

pub(super) const SETTINGS: &[Setting] = &[
    setting!("schedule/enabled", "schedule_enabled", Shape::Bool, Kept, schedule.enabled),
    setting!(
        "schedule/showcountdown",
        "schedule_show_countdown",
        Shape::Bool,
        Kept,
        schedule.show_countdown
    ),
    setting!(
        "schedule/chatopenminutes",
        "schedule_chat_open_minutes",
        Shape::Choice(&[0, 5, 10, 30, 60]),
        Kept,
        schedule.chat_open_minutes
    ),
    setting!(
        "schedule/remindermessage",
        "schedule_reminder_message",
        Shape::Text { max: REMINDER_MAX },
        Kept,
        schedule.reminder_message
    ),
    setting!(
        "schedule/firstreminderminutes",
        "schedule_first_reminder_minutes",
        REMINDERS,
        Kept,
        schedule.first_reminder_minutes
    ),
    setting!(
        "schedule/secondreminderminutes",
        "schedule_second_reminder_minutes",
        REMINDERS,
        Kept,
        schedule.second_reminder_minutes
    ),
];
