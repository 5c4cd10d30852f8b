//! Randomness and ids, owned here: seeded in tests, from the operating system otherwise.

use std::sync::{Mutex, PoisonError};

use base::Timestamp;
use rand::rngs::{SmallRng, StdRng};
use rand::{RngCore, SeedableRng};
use uuid::Uuid;

/// A source of random numbers and ids.
#[derive(Debug)]
pub struct Chance(Mutex<Source>);

#[derive(Debug)]
enum Source {
    /// Secret access keys are made of it, so nobody may foretell it from ids that were seen.
    Unpredictable(Box<StdRng>),
    Seeded(SmallRng),
}

impl Source {
    fn numbers(&mut self) -> &mut dyn RngCore {
        match self {
            Source::Unpredictable(numbers) => numbers,
            Source::Seeded(numbers) => numbers,
        }
    }
}

impl Chance {
    /// Seeded by the operating system.
    pub fn from_os() -> Chance {
        Chance(Mutex::new(Source::Unpredictable(Box::new(StdRng::from_os_rng()))))
    }

    /// The same numbers for the same seed.
    pub fn seeded(seed: u64) -> Chance {
        Chance(Mutex::new(Source::Seeded(SmallRng::seed_from_u64(seed))))
    }

    /// 64 random bits.
    pub fn next_u64(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).numbers().next_u64()
    }

    /// A UUID version 7: ids made later sort later, to the millisecond.
    pub fn id(&self, now: Timestamp) -> Uuid {
        let mut random = [0; 10];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).numbers().fill_bytes(&mut random);
        let ms = u64::try_from(now.as_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid()
    }
}
