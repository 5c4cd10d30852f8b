//! The supervisor: finds or starts a process for each invocation, and lets idle ones go.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::code::CodeCache;
use super::descendants;
use super::interpreter::{Family, Interpreters};
use super::invoke::{self, Begun, Ran};
use super::pool::Pool;
use super::process::{Process, Spawner};
use super::spec::{FunctionSpec, Invocation, InvokeError, Invoked, LogSink, Unlogged};
use super::start::{Seat, family_of};
use super::timer;

/// How many processes in a row may die before taking their work.
const ATTEMPTS: usize = 3;

/// The program that confines a function and then becomes it: see [`super::sandbox::main`].
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The program.
    pub program: PathBuf,
    /// Its arguments before the launcher's own.
    pub arguments: Vec<OsString>,
}

/// The platform's own certificate authority, as functions get to know it. Both files hold nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// Its certificate, for programs that trust it besides others.
    pub certificate: PathBuf,
    /// All that this machine trusts and its certificate, for programs that trust one file.
    pub bundle: PathBuf,
}

/// How functions are run here.
#[derive(Clone)]
pub struct SupervisorConfig {
    /// A directory of the supervisor's own: unpacked packages, runtime loops, scratch directories.
    pub root: PathBuf,
    /// The launcher; without one, functions run with neither limits nor Landlock.
    pub launcher: Option<Launcher>,
    /// Takes the functions' output.
    pub sink: Arc<dyn LogSink>,
    /// Programs by runtime identifier, or for all of `nodejs` or `python`; otherwise the PATH is searched.
    pub interpreters: BTreeMap<String, PathBuf>,
    /// A `node_modules` directory with the AWS SDK, which AWS's runtimes bring along.
    pub node_modules: Option<PathBuf>,
    /// A `node_modules` directory with version 2 of it, which runtimes before `nodejs18.x` bring along.
    pub legacy_node_modules: Option<PathBuf>,
    /// A site-packages directory with boto3, which AWS's runtimes bring along.
    pub python_packages: Option<PathBuf>,
    /// The authority whose certificates the platform shows.
    pub trusted: Option<Trusted>,
    /// Whether functions may write to the machine's `/tmp`, which many do by name. Their own `TMPDIR` they may always write.
    pub shared_tmp: bool,
    /// How long a process without work is kept.
    pub idle_limit: Duration,
    /// How long a process that is ready may take to ask for its next work before another one gets it.
    pub take_limit: Duration,
    /// How many processes may run at once; more invocations wait.
    pub processes_max: usize,
    /// How many processes may be starting at once; more invocations wait for these, or for one that becomes free.
    pub starting_max: usize,
}

impl SupervisorConfig {
    /// The defaults: no launcher, no sink, processes kept for five minutes, at most 200 of them.
    pub fn new(root: impl Into<PathBuf>) -> SupervisorConfig {
        SupervisorConfig {
            root: root.into(),
            launcher: None,
            sink: Arc::new(Unlogged),
            interpreters: BTreeMap::new(),
            node_modules: None,
            legacy_node_modules: None,
            python_packages: None,
            trusted: None,
            shared_tmp: true,
            idle_limit: Duration::from_secs(300),
            take_limit: Duration::from_secs(5),
            processes_max: 200,
            starting_max: std::thread::available_parallelism().map_or(4, |cores| 2 * cores.get()),
        }
    }
}

/// Runs functions. Cheap to clone; the processes end with the last clone.
#[derive(Clone)]
pub struct Supervisor(Arc<Inner>);

pub(super) struct Inner {
    pub(super) config: SupervisorConfig,
    pub(super) runtime_dir: PathBuf,
    pub(super) code: CodeCache,
    pub(super) interpreters: Interpreters,
    pub(super) spawner: Spawner,
    pub(super) pools: Mutex<HashMap<String, Arc<Pool>>>,
    pub(super) slots: Arc<Semaphore>,
    /// Whether the launcher can lay a function's layers over `/opt`, once it was asked.
    pub(super) lays_over_opt: OnceCell<bool>,
    pub(super) starting: Semaphore,
    /// Invocations that wait for a slot.
    pub(super) starving: AtomicUsize,
    pub(super) started: AtomicU64,
    pub(super) reaping: AtomicBool,
    pub(super) closed: AtomicBool,
}

impl Supervisor {
    /// Prepares the root directory. Starts no process.
    ///
    /// # Errors
    /// The root cannot be written, or no thread can be started.
    pub fn new(config: SupervisorConfig) -> io::Result<Supervisor> {
        fs::create_dir_all(&config.root)?;
        // Landlock and Node compare real paths.
        let root = fs::canonicalize(&config.root)?;
        let scratch = root.join("scratch");
        // What functions of a server that was killed have started may still run.
        descendants::end_marked(&scratch);
        if scratch.exists() {
            fs::remove_dir_all(&scratch)?;
        }
        fs::create_dir_all(&scratch)?;
        let inner = Inner {
            runtime_dir: write_loops(&root.join("runtime"))?,
            code: CodeCache::open(root.join("code"), config.node_modules.as_deref())?,
            interpreters: Interpreters::new(config.interpreters.clone()),
            spawner: Spawner::start()?,
            pools: Mutex::default(),
            lays_over_opt: OnceCell::new(),
            slots: Arc::new(Semaphore::new(config.processes_max.max(1))),
            starting: Semaphore::new(config.starting_max.max(1)),
            starving: AtomicUsize::new(0),
            started: AtomicU64::new(0),
            reaping: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            config: SupervisorConfig { root, ..config },
        };
        Ok(Supervisor(Arc::new(inner)))
    }

    /// Runs the function once. The invocation goes on to its end even if the caller drops this future.
    ///
    /// # Errors
    /// The function could not be run at all; whatever its code does wrong is in the answer.
    pub async fn invoke(
        &self,
        spec: &Arc<FunctionSpec>,
        invocation: Invocation,
    ) -> Result<Invoked, InvokeError> {
        self.invoke_holding(spec, invocation, ()).await
    }

    /// As [`Supervisor::invoke`]; `held` is dropped when the invocation has ended, whoever still waits for it.
    ///
    /// # Errors
    /// The same.
    pub async fn invoke_holding(
        &self,
        spec: &Arc<FunctionSpec>,
        invocation: Invocation,
        held: impl Send + 'static,
    ) -> Result<Invoked, InvokeError> {
        if self.0.closed.load(Ordering::Relaxed) {
            return Err(InvokeError::ShuttingDown);
        }
        self.reap_in_background();
        let (inner, spec) = (Arc::clone(&self.0), Arc::clone(spec));
        let run = timer::background(async move {
            let invoked = inner.invoke(spec, invocation).await;
            drop(held);
            invoked
        });
        run.await.map_err(|error| InvokeError::Start(error.to_string()))?
    }

    /// Checks, without running anything, that a function of this runtime can be run here.
    ///
    /// # Errors
    /// [`InvokeError::InvalidRuntime`], with what is missing.
    pub async fn check_runtime(&self, runtime: &str) -> Result<(), InvokeError> {
        match family_of(runtime)? {
            Family::Provided => Ok(()),
            family => self.0.interpreters.find(runtime, family).await.map(drop),
        }
    }

    /// Ends every process of the function, at once or when its invocation ends; called when a function is deleted.
    pub fn forget(&self, arn: &str) {
        let pool = self.0.pools().remove(arn);
        if let Some(pool) = pool {
            pool.close();
        }
    }

    /// Ends all processes without work and refuses further invocations.
    pub fn shut_down(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
        for pool in self.0.all_pools() {
            pool.close();
        }
    }

    /// How many processes are running, busy or not.
    pub fn processes(&self) -> usize {
        self.0.config.processes_max.max(1) - self.0.slots.available_permits()
    }

    /// How many processes wait for work.
    pub fn idle(&self) -> usize {
        self.0.all_pools().iter().map(|pool| pool.idle()).sum()
    }

    /// One task looks for idle processes as long as the supervisor lives.
    fn reap_in_background(&self) {
        if self.0.reaping.swap(true, Ordering::Relaxed) {
            return;
        }
        let (inner, limit) = (Arc::downgrade(&self.0), self.0.config.idle_limit);
        timer::background(async move {
            let pause = (limit / 4).clamp(Duration::from_millis(10), Duration::from_secs(10));
            loop {
                timer::sleep(pause).await;
                let Some(inner) = Weak::upgrade(&inner) else { return };
                for pool in inner.all_pools() {
                    pool.reap(timer::instant(), limit);
                }
            }
        });
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        descendants::end_marked(&self.config.root.join("scratch"));
    }
}

impl Inner {
    async fn invoke(&self, spec: Arc<FunctionSpec>, invocation: Invocation) -> Result<Invoked, InvokeError> {
        let pool = self.pool(&spec);
        let mut init_ms = None;
        for _ in 0..ATTEMPTS {
            let seat = match pool.take() {
                Some(process) => Seat { process, init_ms: None, failed: None },
                None => self.wait_or_start(&pool, &spec, &invocation.request_id).await?,
            };
            init_ms = seat.init_ms.or(init_ms);
            if let Some(failure) = seat.failed {
                let begun = Begun::without_work(&seat.process, &invocation, &spec, init_ms);
                return Ok(begun.failed_to_start(failure));
            }
            match invoke::run(&seat.process, &spec, &invocation, init_ms, self.config.take_limit).await {
                Ran::Answered { invoked, reusable } => {
                    if reusable {
                        self.give_back(&pool, seat.process);
                    }
                    return Ok(invoked);
                }
                Ran::NotTaken => {}
            }
        }
        Err(InvokeError::Start(format!(
            "processes of {} ended {ATTEMPTS} times before taking work",
            spec.arn
        )))
    }

    fn give_back(&self, pool: &Pool, process: Arc<Process>) {
        let keep = self.starving.load(Ordering::Relaxed) == 0;
        pool.put(process, timer::instant(), keep);
    }

    /// The pool of this revision; pools of other revisions of the same ARN are drained.
    fn pool(&self, spec: &FunctionSpec) -> Arc<Pool> {
        let mut pools = self.pools();
        if let Some(pool) = pools.get(&spec.arn) {
            if pool.revision == spec.revision {
                return Arc::clone(pool);
            }
            pool.close();
        }
        let pool = Arc::new(Pool::new(spec.revision.clone()));
        pools.insert(spec.arn.clone(), Arc::clone(&pool));
        pool
    }

    /// Whichever comes first: a process that becomes free, or leave to start one.
    async fn wait_or_start(
        &self,
        pool: &Pool,
        spec: &Arc<FunctionSpec>,
        request_id: &str,
    ) -> Result<Seat, InvokeError> {
        let mut free = pool.wait();
        let leave = tokio::select! {
            biased;
            Ok(process) = &mut free => return Ok(Seat { process, init_ms: None, failed: None }),
            leave = self.leave_to_start() => leave?,
        };
        free.close();
        if let Ok(process) = free.try_recv() {
            drop(leave);
            return Ok(Seat { process, init_ms: None, failed: None });
        }
        let (_starting, slot) = leave;
        self.start(spec, slot, request_id).await
    }

    async fn leave_to_start(
        &self,
    ) -> Result<(tokio::sync::SemaphorePermit<'_>, OwnedSemaphorePermit), InvokeError> {
        let closed = |_| InvokeError::ShuttingDown;
        let starting = self.starting.acquire().await.map_err(closed)?;
        if self.slots.available_permits() == 0 {
            self.evict_one();
        }
        let _starving = Starving::new(&self.starving);
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(closed)?;
        Ok((starting, slot))
    }

    fn evict_one(&self) {
        let _ = self.all_pools().iter().any(|pool| pool.evict());
    }

    fn pools(&self) -> MutexGuard<'_, HashMap<String, Arc<Pool>>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all_pools(&self) -> Vec<Arc<Pool>> {
        self.pools().values().cloned().collect()
    }
}

/// Counts an invocation among those that wait for a slot, for as long as it lives.
struct Starving<'a>(&'a AtomicUsize);

impl<'a> Starving<'a> {
    fn new(count: &'a AtomicUsize) -> Starving<'a> {
        count.fetch_add(1, Ordering::Relaxed);
        Starving(count)
    }
}

impl Drop for Starving<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Writes the runtime loops where processes can read them.
fn write_loops(directory: &Path) -> io::Result<PathBuf> {
    let loops = [
        ("bootstrap.cjs", include_str!("js/bootstrap.cjs")),
        ("redirect.cjs", include_str!("js/redirect.cjs")),
        ("bootstrap.py", include_str!("py/bootstrap.py")),
        ("sitecustomize.py", include_str!("py/sitecustomize.py")),
    ];
    fs::create_dir_all(directory)?;
    for (name, text) in loops {
        fs::write(directory.join(name), text)?;
    }
    Ok(directory.to_owned())
}
