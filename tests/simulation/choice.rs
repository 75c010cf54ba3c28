//! The choices of the scheduler.

/// The fate of a store operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It happens and is answered.
    Happens,
    /// It fails without having happened.
    Fails,
    /// It happens, and then fails.
    FailsAfter,
    /// It fails now and happens later, unless others come in between.
    FailsEarly,
    /// It happens, and is answered when the client's turn comes again.
    Lingers,
    /// It is a `get` that is late: the value is the one before so many writes.
    Outdated(usize),
    /// The instance dies before it.
    Dies,
    /// The instance dies after it, before the answer.
    DiesAfter,
}

/// One step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// The next operation of a client meets its fate.
    Client(usize, Fate),
    /// The host dies, with all that is under way.
    Crash,
    /// The oldest operation that failed early happens.
    Late,
    /// So many milliseconds go by. Requests that take longer than `TIME_LIMIT_MILLIS` die.
    Time(i64),
    /// More than a minute goes by, on a host that lets requests take so long.
    Pause,
    /// The store is slow: `SLOW_MILLIS` go by, on such a host.
    Slow,
    /// The clock of a client's instance is set: it is so many milliseconds ahead.
    Clock(usize, i64),
}

impl Fate {
    /// The rest of a sentence about the operation.
    pub fn words(self) -> &'static str {
        match self {
            Fate::Happens => "",
            Fate::Fails => ", which fails before it takes effect",
            Fate::FailsAfter => ", and yet it fails",
            Fate::FailsEarly => ", which fails and has yet to take effect",
            Fate::Lingers => ", which is answered later",
            Fate::Outdated(_) => ", which is late",
            Fate::Dies => ", before which the instance dies",
            Fate::DiesAfter => ", and the instance dies",
        }
    }
}
