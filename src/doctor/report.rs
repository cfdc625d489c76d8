//! What `riverrun doctor` prints, as text.

use std::fmt::Write as _;

use riverrun_media::access_unit::VideoTrack;
use riverrun_media::ladder::{LADDER_SHARE_MAX, LadderSetting};
use riverrun_web::health::{Finding, Health};

use super::measure::Spent;
use super::verdict::{COMFORTABLE_SHARE_MAX, Figure, Figures, Load, Verdict, free};
use crate::cores::Cores;
use crate::probe::Limits;

/// Wall clock over CPU time from which on others must have had the cores.
const UNDISTURBED_MAX: f64 = 1.2;

/// One ladder of one source.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) source: VideoTrack,
    pub(super) setting: LadderSetting,
    pub(super) load: Load,
}

/// What is known before anything is measured.
pub(super) fn start(limits: &Limits, cores: &Cores, health: &Health) -> String {
    let mut text = format!("\nRiverrun {}\n\n", env!("CARGO_PKG_VERSION"));
    line(&mut text, "io_uring", "works");
    line(&mut text, "locked memory", &format!("{} allowed, enough", bytes(limits.locked_memory)));
    let files = if limits.open_files == u64::MAX {
        "as many as wanted".to_owned()
    } else {
        format!("{} allowed", limits.open_files)
    };
    let advice = limits.few_files().unwrap_or("each viewer needs one or two");
    line(&mut text, "open files", &format!("{files}; {advice}"));
    let quota = if cores.usable < cores.allowed() {
        format!(" of {}: a quota holds the others back", cores.allowed())
    } else {
        String::new()
    };
    line(&mut text, "cores", &format!("{}{quota}", cores.usable));
    for Finding { part, message, .. } in &health.findings {
        line(&mut text, part.word(), if message.is_empty() { "fine" } else { message });
    }
    text.push_str("\nMeasuring decoder, scaler and encoder, about 15 seconds …\n");
    text
}

/// The figures and the verdicts.
pub(super) fn end(
    figures: &Figures,
    cpu_level: u8,
    tallies: &[Tally],
    cores: &Cores,
    spent: Spent,
) -> String {
    let mut text = format!("\nMilliseconds of one core for a picture, CPU level {cpu_level}:\n\n");
    let head = ["", "decode", "scale to", "encode", "AV1"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    for size in figures.encoded_sizes() {
        let of = |list: &[Figure]| {
            let found = list.iter().find(|figure| figure.size == size);
            found.map_or_else(|| "-".to_owned(), |figure| format!("{:.2}", figure.ms))
        };
        let name = format!("{}p", size.height());
        let lists = [&figures.decode, &figures.scale, &figures.encode, &figures.encode_av1];
        rows.push(std::iter::once(name).chain(lists.map(|list| of(list))).collect());
    }
    table(&mut text, &rows, 1);
    let free = free(cores.usable);
    let _ = write!(
        text,
        "\nLadders may have {free:.1} of {} cores ({:.0} %; the rest serves viewers):\n\n",
        cores.usable,
        LADDER_SHARE_MAX * 100.0
    );
    let head = ["source", "--renditions", "cores", "of these", "busiest thread", "verdict"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for Tally { source, setting, load } in tallies {
        rows.push(vec![
            format!("{}p{}", source.height, source.frame_rate_millis.unwrap_or_default() / 1_000),
            setting.to_string(),
            format!("{:.2}", load.all),
            format!("{:.0} %", load.all / free * 100.0),
            format!("{:.2}", load.busiest),
            Verdict::of(*load, cores.usable).words().to_owned(),
        ]);
    }
    table(&mut text, &rows, 2);
    let _ = write!(
        text,
        "\nComfortable is at most {:.0} % of these cores and of one core for each thread; tight is \
         all of it;\ntoo much drops pictures or takes from the viewers. The first ladder of each \
         source is the automatic one.\n",
        COMFORTABLE_SHARE_MAX * 100.0
    );
    text.push_str(&disturbance(spent).unwrap_or_default());
    text
}

/// A sentence when others ran on the cores meanwhile.
fn disturbance(spent: Spent) -> Option<String> {
    let ratio = spent.wall.as_secs_f64() / spent.cpu.as_secs_f64();
    (ratio > UNDISTURBED_MAX).then(|| {
        format!(
            "\nOther programs or the hypervisor had the core for {:.0} % of the time of the \
             measurement. What they take\nis missing for a ladder: the table counts on cores that \
             are free.\n",
            (1.0 - 1.0 / ratio) * 100.0
        )
    })
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  {name:<15}{value}");
}

fn bytes(count: u64) -> String {
    match count {
        u64::MAX => "any amount".to_owned(),
        count => format!("{} KiB", count >> 10),
    }
}

/// Aligns columns: the first `words` and the last of a wide table to the left, numbers to the
/// right.
fn table(text: &mut String, rows: &[Vec<String>], words: usize) {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let is_word = column < words || (words > 1 && column + 1 == columns);
            let _ = if is_word {
                write!(line, "  {cell:<width$}")
            } else {
                write!(line, "  {cell:>width$}")
            };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::{figures, track};
    use super::*;
    use rustix::thread::CpuSet;
    use std::time::Duration;

    fn spent(cpu: u64, wall: u64) -> Spent {
        Spent { cpu: Duration::from_millis(cpu), wall: Duration::from_millis(wall) }
    }

    fn of_four(usable: usize) -> Cores {
        let mut set = CpuSet::new();
        (0..4).for_each(|core| set.set(core));
        Cores { set, usable }
    }

    #[test]
    fn tables_are_aligned() {
        let tally = |setting: &str, all, busiest| Tally {
            source: track(1_920, 1_080, 60),
            setting: setting.parse().unwrap(),
            load: Load { all, busiest },
        };
        let tallies = [tally("source,720p/30", 0.7, 0.55), tally("1080p,720p:3", 12.345, 1.2)];
        let cores = of_four(2);
        let text = end(&figures(), 3, &tallies, &cores, spent(10, 11));
        for part in [
            "CPU level 3",
            "         decode  scale to  encode    AV1
  1080p   10.00         -   20.00      -
  720p     5.00      2.00    9.00      -
  480p        -      1.00    4.00      -
  360p        -      0.50    2.50  40.00
  240p        -         -       -  20.00
",
            "1.2 of 2 cores (60 %",
            "  source   --renditions    cores  of these  busiest thread  verdict
  1080p60  source,720p/30   0.70      58 %            0.55  comfortable
  1080p60  1080p,720p:3    12.35    1029 %            1.20  too much
",
        ] {
            assert!(text.contains(part), "{part}\nnot in\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    }

    #[test]
    fn others_on_the_cores_are_told() {
        for (cpu, wall, want) in
            [(1_000, 1_000, None), (1_000, 1_190, None), (500, 1_000, Some("50 %"))]
        {
            let told = disturbance(spent(cpu, wall));
            assert_eq!(told.is_some(), want.is_some(), "{told:?}");
            assert!(want.is_none_or(|part| told.is_some_and(|told| told.contains(part))));
        }
    }

    #[test]
    fn limits_and_cores_are_told_in_words() {
        let many = Limits { locked_memory: 8 << 20, open_files: 1 << 20 };
        let none = Limits { locked_memory: u64::MAX, open_files: u64::MAX };
        let few = Limits { open_files: 1_024, ..many };
        for (limits, usable, parts) in [
            (many, 4, ["8192 KiB", "each viewer needs one or two", "store          fine\n"]),
            (none, 4, ["any amount", "as many as wanted", "io_uring       works"]),
            (few, 1, ["(disk full)", "ulimit -n", "1 of 4: a quota"]),
        ] {
            let readings = riverrun_web::health::Readings {
                store_error: (usable == 1).then(|| "disk full".to_owned()),
                ..Default::default()
            };
            let text = start(&limits, &of_four(usable), &Health::of(&readings, None));
            for part in parts {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
    }
}
