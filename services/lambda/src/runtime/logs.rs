//! What a process prints: cut into lines, stamped, kept for the invocation's log tail, handed to the sink.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{mpsc, oneshot};

use super::spec::{FunctionSpec, LogSink};
use super::timer;

/// The size of the log tail that an answer may carry, in bytes.
pub(super) const TAIL_LIMIT: usize = 4096;

/// The longest line handed on in one piece, in bytes: a log event's limit.
const LINE_LIMIT: usize = 256 * 1024 - 26;

/// The start of a frame: a log event that may hold line ends. Our own runtime loops write
/// `a5 5a 00 03`, the length of the text (4 bytes, big-endian), the text. The first byte never starts a UTF-8 character.
const FRAME_MARK: [u8; 4] = [0xa5, 0x5a, 0x00, 0x03];
const FRAME_HEAD: usize = 8;

/// Cuts a byte stream into lines and frames.
#[derive(Default)]
pub(super) struct Splitter {
    held: Vec<u8>,
}

impl Splitter {
    /// Adds bytes and passes every complete line or frame to `emit`.
    pub(super) fn feed(&mut self, bytes: &[u8], mut emit: impl FnMut(String)) {
        self.held.extend_from_slice(bytes);
        let mut start = 0;
        while let Some((text, used)) = next_event(&self.held[start..]) {
            emit(String::from_utf8_lossy(text).into_owned());
            start += used;
        }
        self.held.drain(..start);
    }

    /// Passes on what is held without a line end. An incomplete frame stays held.
    pub(super) fn finish(&mut self, emit: impl FnOnce(String)) {
        if !self.held.is_empty() && !self.held.starts_with(&FRAME_MARK) {
            emit(String::from_utf8_lossy(&self.held).into_owned());
            self.held.clear();
        }
    }
}

/// The first event in `bytes`, and how many bytes it takes; `None` if it is not complete.
fn next_event(bytes: &[u8]) -> Option<(&[u8], usize)> {
    if bytes.starts_with(&FRAME_MARK) {
        let length = bytes.get(4..FRAME_HEAD)?;
        let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
        let text = bytes.get(FRAME_HEAD..FRAME_HEAD + length)?;
        return Some((text, FRAME_HEAD + length));
    }
    if bytes.first() == Some(&FRAME_MARK[0]) && bytes.len() < FRAME_MARK.len() {
        return None;
    }
    match bytes.iter().take(LINE_LIMIT).position(|b| *b == b'\n') {
        Some(end) => {
            let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
            Some((line, end + 1))
        }
        None if bytes.len() >= LINE_LIMIT => Some((&bytes[..LINE_LIMIT], LINE_LIMIT)),
        None => None,
    }
}

/// The output of one process.
pub(super) struct Output {
    spec: Arc<FunctionSpec>,
    stream: String,
    sink: Arc<dyn LogSink>,
    lines: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    pending: Vec<(Timestamp, String)>,
    tail: String,
}

impl Output {
    pub(super) fn new(spec: Arc<FunctionSpec>, stream: String, sink: Arc<dyn LogSink>) -> Output {
        Output { spec, stream, sink, lines: Mutex::default() }
    }

    pub(super) fn spec(&self) -> &FunctionSpec {
        &self.spec
    }

    pub(super) fn stream(&self) -> &str {
        &self.stream
    }

    /// Starts the tail of a new invocation with all that was printed since the last one ended.
    pub(super) fn begin(&self) {
        let mut lines = self.lock();
        let Lines { pending, tail } = &mut *lines;
        tail.clear();
        for (_, line) in pending.iter() {
            append_tail(tail, line);
        }
    }

    /// Adds a line.
    pub(super) fn line(&self, text: String) {
        let mut lines = self.lock();
        append_tail(&mut lines.tail, &text);
        lines.pending.push((timer::now(), text));
    }

    /// Hands the lines so far to the sink.
    pub(super) fn flush(&self) {
        let pending = std::mem::take(&mut self.lock().pending);
        if !pending.is_empty() {
            self.sink.write(&self.spec, &self.stream, pending);
        }
    }

    /// The last 4 KiB since [`Output::begin`].
    pub(super) fn tail(&self) -> String {
        let lines = self.lock();
        let mut start = lines.tail.len().saturating_sub(TAIL_LIMIT);
        while !lines.tail.is_char_boundary(start) {
            start += 1;
        }
        lines.tail[start..].to_owned()
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn append_tail(tail: &mut String, line: &str) {
    tail.push_str(line);
    tail.push('\n');
    if tail.len() > 16 * TAIL_LIMIT {
        let mut cut = tail.len() - TAIL_LIMIT;
        while !tail.is_char_boundary(cut) {
            cut += 1;
        }
        tail.drain(..cut);
    }
}

/// Asks a pump to take in all that the process has written so far.
#[derive(Clone)]
pub(super) struct Drain(mpsc::Sender<oneshot::Sender<()>>);

impl Drain {
    pub(super) fn channel() -> (Drain, mpsc::Receiver<oneshot::Sender<()>>) {
        let (sender, receiver) = mpsc::channel(1);
        (Drain(sender), receiver)
    }

    /// Returns when the bytes that were in the pipes have become lines.
    pub(super) async fn run(&self) {
        let (done, wait) = oneshot::channel();
        if self.0.send(done).await.is_ok() {
            // The pump answers unless both pipes closed meanwhile, and then all is taken in.
            let _ = wait.await;
        }
    }
}

/// Reads both pipes until they close. The pipes come before drain requests, so that a request is served only when both are empty.
pub(super) async fn pump<A, B>(
    mut out: A,
    mut err: B,
    output: Arc<Output>,
    mut drains: mpsc::Receiver<oneshot::Sender<()>>,
) where
    A: AsyncRead + Unpin,
    B: AsyncRead + Unpin,
{
    let (mut out_lines, mut err_lines) = (Splitter::default(), Splitter::default());
    let (mut out_bytes, mut err_bytes) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    let (mut out_open, mut err_open) = (true, true);
    while out_open || err_open {
        tokio::select! {
            biased;
            read = out.read(&mut out_bytes), if out_open => match read {
                Ok(n) if n > 0 => out_lines.feed(&out_bytes[..n], |line| output.line(line)),
                _ => out_open = false,
            },
            read = err.read(&mut err_bytes), if err_open => match read {
                Ok(n) if n > 0 => err_lines.feed(&err_bytes[..n], |line| output.line(line)),
                _ => err_open = false,
            },
            Some(done) = drains.recv() => {
                out_lines.finish(|line| output.line(line));
                err_lines.finish(|line| output.line(line));
                // The asker may have gone away, which is no concern here.
                let _ = done.send(());
            }
        }
    }
    out_lines.finish(|line| output.line(line));
    err_lines.finish(|line| output.line(line));
}

/// What a REPORT line tells.
pub(super) struct Report<'a> {
    pub(super) request_id: &'a str,
    pub(super) duration_ms: f64,
    pub(super) billed_ms: u64,
    pub(super) memory_mb: u32,
    pub(super) max_memory_mb: u64,
    pub(super) init_ms: Option<f64>,
    /// `timeout` or `error`, with the error's type if it is not a timeout.
    pub(super) status: Option<(&'a str, Option<&'a str>)>,
}

impl Report<'_> {
    /// The line as AWS prints it.
    pub(super) fn line(&self) -> String {
        let mut line = format!(
            "REPORT RequestId: {}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t",
            self.request_id, self.duration_ms, self.billed_ms, self.memory_mb, self.max_memory_mb,
        );
        if let Some(init) = self.init_ms {
            line.push_str(&format!("Init Duration: {init:.2} ms\t"));
        }
        if let Some((status, error_type)) = self.status {
            line.push_str(&format!("Status: {status}\t"));
            if let Some(error_type) = error_type {
                line.push_str(&format!("Error Type: {error_type}\t"));
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(chunks: &[&[u8]]) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut lines = Vec::new();
        for chunk in chunks {
            splitter.feed(chunk, |line| lines.push(line));
        }
        splitter.finish(|line| lines.push(line));
        lines
    }

    #[test]
    fn lines_and_frames_are_cut() {
        assert_eq!(split(&[b"a\nb", b"c\r\n", b"d"]), ["a", "bc", "d"]);
        let frame = [&FRAME_MARK[..], &5u32.to_be_bytes(), b"x\ny\nz"].concat();
        assert_eq!(split(&[b"a\n", &frame, b"b\n"]), ["a", "x\ny\nz", "b"]);
        let bytes: Vec<&[u8]> = frame.chunks(1).collect();
        assert_eq!(split(&bytes), ["x\ny\nz"]);
        assert_eq!(split(&[&frame[..9]]), Vec::<String>::new());
    }

    #[test]
    fn a_long_line_is_cut() {
        let lines = split(&[&vec![b'x'; LINE_LIMIT + 1]]);
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LINE_LIMIT, 1]);
    }

    #[test]
    fn a_report_reads_as_aws_prints_it() {
        let report = Report {
            request_id: "r",
            duration_ms: 1.234,
            billed_ms: 2,
            memory_mb: 128,
            max_memory_mb: 40,
            init_ms: Some(100.0),
            status: Some(("timeout", None)),
        };
        assert_eq!(
            report.line(),
            "REPORT RequestId: r\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\tInit Duration: 100.00 ms\tStatus: timeout\t"
        );
    }
}
