use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use msgarchive::pipeline::Progress;
use msgarchive::writers::phrase;

/// When to show progress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// When standard error is a terminal
    #[default]
    Auto,
    /// Also into files and pipes, as lines
    Always,
    Never,
}

/// What is over sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// What is over sooner needs no words.
const PATIENCE_WITH_WORK: Duration = Duration::from_millis(500);
/// Between two lines, where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(1);

/// Progress on standard error, and Ctrl-C.
pub struct Watch {
    form: Form,
    bar: ProgressBar,
    shown: AtomicBool,
    start: Instant,
    total: AtomicU64,
    done: AtomicU64,
    last_line: Mutex<Instant>,
    interrupted: Arc<AtomicBool>,
}

/// Does something that takes its time and has no steps; who sits at a terminal sees that it goes on.
pub fn working<T: Send>(when: When, words: &str, work: impl FnOnce() -> T + Send) -> T {
    match Form::of(when, io::stderr().is_terminal()) {
        Form::Nothing => return work(),
        Form::Lines => {
            eprintln!("{words}");
            return work();
        }
        Form::Bar => {}
    }
    thread::scope(|scope| {
        let (done, end) = channel::<()>();
        let worker = scope.spawn(move || {
            // Given back at the end, whatever that is.
            let _done = done;
            work()
        });
        if end.recv_timeout(PATIENCE_WITH_WORK) == Err(RecvTimeoutError::Timeout) {
            let spinner = ProgressBar::new_spinner().with_message(words.to_owned());
            spinner.enable_steady_tick(Duration::from_millis(100));
            let _ = end.recv();
            spinner.finish_and_clear();
        }
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Nothing,
    Bar,
    Lines,
}

impl Form {
    fn of(when: When, at_a_terminal: bool) -> Form {
        match (when, at_a_terminal) {
            (When::Never, _) | (When::Auto, false) => Form::Nothing,
            (_, true) => Form::Bar,
            (When::Always, false) => Form::Lines,
        }
    }
}

impl Watch {
    /// Begins to listen for Ctrl-C: the first one asks the run to stop, the second one ends the program.
    pub fn new(when: When) -> Watch {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        // Where no handler can be set, Ctrl-C ends the program at once; the next run clears up after it.
        let _ = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        });
        let form = Form::of(when, io::stderr().is_terminal());
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let template =
            "{msg} {wide_bar} {percent:>3} %  {human_pos} of {human_len} rows  {per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            let style =
                style.with_key("per_sec", |state: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                    let _ = write!(w, "{}/s", phrase::grouped(state.per_sec() as u64));
                });
            bar.set_style(style.progress_chars("█▌ "));
        }
        let now = Instant::now();
        Watch {
            form,
            bar,
            shown: AtomicBool::new(false),
            start: now,
            total: AtomicU64::new(0),
            done: AtomicU64::new(0),
            last_line: Mutex::new(now),
            interrupted,
        }
    }

    fn line(&self) {
        // Whoever does not get the lock at once has somebody else writing the line.
        let Ok(mut last) = self.last_line.try_lock() else { return };
        if last.elapsed() < BETWEEN_LINES {
            return;
        }
        *last = Instant::now();
        let done = self.done.load(Ordering::Relaxed);
        let total = self.total.load(Ordering::Relaxed);
        let elapsed = self.start.elapsed().as_secs_f64();
        let rate = done as f64 / elapsed;
        let left = Duration::from_secs_f64((total.saturating_sub(done) as f64 / rate.max(1.0)).min(1e9));
        eprintln!(
            "{}: {} of {} rows, {}/s, {} left",
            self.bar.message(),
            phrase::grouped(done),
            phrase::grouped(total),
            phrase::grouped(rate as u64),
            HumanDuration(left)
        );
    }
}

impl Progress for Watch {
    fn begin(&self, rows: u64) {
        self.total.store(rows, Ordering::Relaxed);
        // Something else may have been counted before.
        self.done.store(0, Ordering::Relaxed);
        self.bar.set_position(0);
        self.bar.set_length(rows);
        self.bar.reset_eta();
    }

    fn advance(&self, rows: u64) {
        self.done.fetch_add(rows, Ordering::Relaxed);
        match self.form {
            Form::Nothing => {}
            Form::Bar => {
                self.bar.inc(rows);
                if self.start.elapsed() >= PATIENCE && !self.shown.swap(true, Ordering::Relaxed) {
                    self.bar.set_draw_target(ProgressDrawTarget::stderr());
                }
            }
            Form::Lines => self.line(),
        }
    }

    fn phase(&self, words: &str) {
        self.bar.set_message(words.to_owned());
        if self.form == Form::Lines {
            eprintln!("{words}");
            *self.last_line.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }

    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_never_also_at_a_terminal() {
        assert_eq!([false, true].map(|terminal| Form::of(When::Never, terminal)), [Form::Nothing; 2]);
        assert_eq!([false, true].map(|terminal| Form::of(When::Auto, terminal)), [Form::Nothing, Form::Bar]);
        assert_eq!([false, true].map(|terminal| Form::of(When::Always, terminal)), [Form::Lines, Form::Bar]);
    }
}
