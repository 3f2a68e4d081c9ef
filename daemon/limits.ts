/** Every number that bounds the daemon, each with its reason. Bytes are UTF-8, times milliseconds. */

// Lanes.
/** A lane that could not be opened is tried again after this long: its permissions may be mended, and one attempt costs nothing. */
export const UNREADABLE_MS = 10_000;
/** A lane continues in a new file at this size, so that what the server has can be deleted while the program still runs. */
export const LANE_BYTES = 8 * 1024 * 1024;
/** One read from a lane: large enough that system calls do not count, small enough to hold one for each lane being read. */
export const READ_BYTES = 256 * 1024;
/** No record is longer: the largest op is a state of 512 KiB, or an event of 256 KiB, with every character escaped. */
export const MAX_RECORD_BYTES = 4 * 1024 * 1024;
/** Headers are short; above this, trying to flip each bit back takes too long. */
export const MAX_REPAIR_BYTES = 8 * 1024;

/** The most that is read of a side file at once: the stacks of a hundred threads of a hundred frames each are 800 KiB, of usual programs 20. */
export const SIDE_FILE_BYTES = 256 * 1024;
/** A hung program's file of stacks is emptied when so much of it was read: it may hang for days. */
export const EMPTY_STACKS_BYTES = 64 * 1024;

/** Samples of stacks that are recorded when a program hangs. */
export const HANG_SAMPLES = 3;
/** Two samples are at least this far apart: the time of some is the file's, which is up to a check's interval late. */
export const SAMPLE_JITTER_MS = 200;
/** A fatal error in the file of a process that still runs this long after it is of a process that it forked: writing a core file takes seconds. */
export const FORKED_FATAL_MS = 10_000;

// Batches.
/** Estimated size at which a batch is closed: less than MAX_BATCH_BYTES by the error of the estimate. */
export const BATCH_BYTES = 640 * 1024;
/** Bytes that an op takes in a batch without its name, tags and points. */
export const OP_BYTES = 120;
/** The most that one point of a column takes: a double's 17 digits, sign, point and exponent, a comma, and its step in time. */
export const POINT_BYTES = 24;
/** Tags that the daemon's settings add to each session: most of a session's 64 stay for its program. */
export const MAX_MACHINE_TAGS = 16;
/** Ops in one batch: MAX_BATCH_OPS less room for what the daemon adds. */
export const BATCH_OPS = 4_900;
/** Records after a gap that may explain it: a client records its losses, one record for each cause, as soon as it can write again. */
export const EXPLAINED_WITHIN = 4;
/** The first request after a start: small enough for the CPU time of a request on Cloudflare's free plan (10 ms). */
export const FIRST_REQUEST_BYTES = 256 * 1024;
/** The smallest limit of a request: a single op may be this long. */
export const MIN_REQUEST_BYTES = 16 * 1024;
/** About 20,000 points. Larger requests send no more per second, and take memory. */
export const MAX_REQUEST_BYTES = 512 * 1024;
/** Unsent bytes of a lane that fill a request, so that it is sent without waiting. */
export const FULL_BYTES = 512 * 1024;
/** Counters and histograms are summed over this long: no chart has shorter buckets. */
export const WINDOW_MS = 1_000;

// When to send.
/** How long ops wait for others, so that a request carries many: 720 requests an hour for a program that records all the time. */
export const BATCH_MS = 5_000;
/**
 * The same while a browser shows the session, and for the first op after a rest: with the page's own request, an event is shown
 * within half a second.
 */
export const WATCHED_MS = 250;
/** How often growing lanes are read: a tenth of the second within which a start has to be sent. */
export const POLL_MS = 100;
/** The shortest wait between two readings, so that a busy program leaves the daemon idle most of the time. */
export const MIN_WAIT_MS = 10;
/** If no lane grows for this long, the folder is watched instead of polled. */
export const QUIET_AFTER_MS = 2_000;
/** A watched folder is still read this often: some file systems report no changes. */
export const QUIET_POLL_MS = 1_000;
/** How often grown files are synced: a power cut may cost the last second. */
export const SYNC_MS = 1_000;
/** How often processes are checked: a crash has to be detected within a second. */
export const WATCH_MS = 400;
/** A change within this time of another may leave the folder's mtime as it was: file systems stamp in steps of up to 10 ms. */
export const MTIME_STEP_MS = 50;

// Failures.
/** The wait after the first failure; each further one doubles it. */
export const FIRST_RETRY_MS = 500;
/** The longest of those waits: after an outage every daemon sends again within half a minute. */
export const MAX_RETRY_MS = 30_000;
/** The longest wait that a server's Retry-After is followed for: a wrong header must not stop a daemon for days. */
export const MAX_RETRY_AFTER_MS = 15 * 60_000;
/** The largest request at 20 KB/s takes 26 s. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** Failed answers in a row before requests get smaller: the server may be out of CPU time. */
export const FAILURES_BEFORE_SMALLER = 2;
/** Records of a batch from which a narrowed lane is unlimited again: more than a request holds. */
export const MAX_NARROWED_RECORDS = 100_000;
/** Answers in a row that move a lane's position before the lane is delayed: two correct any position. */
export const MAX_IMMEDIATE_MOVES = 3;
/** Between the batches of a refused request, when each is sent in one of its own: longer than a request takes. */
export const ISOLATED_STEP_MS = 50;

// Attachments.
/** How long after the end of an attachment's file its op is awaited: a client writes it at once, and a program may be stopped between both. */
export const ATTACHMENT_OP_MS = 5_000;

/** How often a chunk may arrive damaged before its attachment is refused: the network corrects errors, so the server sees another file. */
export const MAX_DAMAGED = 3;

// State.
/** Values that the filter of one lane keeps; a larger state is sent as it was recorded. */
export const MAX_FILTER_VALUES = 20_000;
/** The same for all lanes together: about 100 bytes each, 10 MB. */
export const MAX_FILTERED_VALUES = 100_000;

// Disk.
/** The default disk budget of unsent lanes (DATACAT_MAX_DISK): a share of any disk that a program runs from. */
export const MAX_DISK_BYTES = 1024 * 1024 * 1024;
/** How often the folder's size is checked: a program that writes 10 MB/s stays within a few percent. */
export const BUDGET_MS = 3_000;
/** Lanes above the budget are reduced to this share of it, so that they are not reduced all the time. */
export const BUDGET_SHARE = 0.9;
/** Parts rewritten at once: each blocks the daemon for about a tenth of a second. */
export const PARTS_AT_ONCE = 4;
/** The rejected files' share of the budget. */
export const REJECTED_SHARE = 0.05;
/** The log is renamed at this size, and the one before it deleted: some 10,000 lines. */
export const LOG_BYTES = 1024 * 1024;

// Ends.
/** With no program and nothing to send for this long, a daemon that was started on demand stops. */
export const IDLE_MS = 60_000;
/** Without a program and with a server that accepts nothing for this long, it stops too; the rest stays in the lanes. */
export const GIVE_UP_MS = 60 * 60_000;
/** A lane whose writer can't be observed (on another machine or in a container) is closed if it has not grown for this long. */
export const ABANDONED_MS = 24 * 60 * 60_000;
/** A lane without a readable header is rejected after this long: its writer may not have written it yet. */
export const HEADERLESS_MS = 60_000;
/** 1.x's clients wait 5 s after SIGTERM, then kill. */
export const STOP_MS = 3_000;
/** After its last session a private daemon still answers this long, as in 1.x. */
export const PRIVATE_LINGER_MS = 3_000;

// Clocks.
/** The machine slept if its clocks moved apart by more than this between two readings. */
export const SLEPT_MS = 2_000;
/** The daemon itself was stopped if a reading comes this much late. It then missed heartbeats that were sent. */
export const HELD_UP_MS = 2_000;
/** Samples of a process that are kept for the time before its end: of 30 s, one each SAMPLE_MS. */
export const LAST_SEEN_SAMPLES = 16;
/** Programs that ended within this time of each other may have one cause. */
export const SAME_END_MS = 1_000;
/** CPU use is measured over at least this long: Linux counts CPU time in steps of 10 ms. */
export const SAMPLE_MS = 2_000;

// The local API.
/** 1.x's. */
export const DEFAULT_PORT = 8079;
/** The largest request body: a client on another disk sends batches of up to a megabyte. */
export const LOCAL_BODY_BYTES = 8 * 1024 * 1024;
/** How long `/register` waits for the server's `/health`; the program waits meanwhile. */
export const PROBE_MS = 500;
/** How long `/end` and `/session` wait for the server to have everything. */
export const FLUSH_MS = 5_000;

/** Sessions that `/sessions` answers with: each is a request to the server, and whole. */
export const MAX_LISTED = 100;
/** Open sessions of another user's programs in 1.x's API: each keeps a file open, and a process may have 1,024. */
export const MAX_SESSIONS_OF_OTHERS = 200;
/** Ids of sessions that a daemon remembers after they have gone to the server: a megabyte. */
export const MAX_REMEMBERED = 10_000;

/** How often lanes are looked for in the user's other homes: a crash there has to be detected within two seconds. */
export const TEND_MS = 1_000;
/** How often lanes of private daemons that have ended are adopted. */
export const ADOPT_MS = 60_000;

// The lock.
/** How long a new daemon waits for one that is stopping. */
export const LOCK_PATIENCE_MS = 3_000;
/** The guard file exists for milliseconds; an older one is from a daemon that was killed. */
export const GUARD_MS = 5_000;
/** How often a lane's writer checks that its file still exists: a removed file takes writes, and nothing reads them. */
export const CHECK_FILE_MS = 1_000;
/** How often a daemon checks that it still holds the home. */
export const LOCK_CHECK_MS = 5_000;

// Processes.
/** PowerShell takes one to two seconds to start on a busy machine; without an answer the process counts as unknown. */
export const POWERSHELL_TIMEOUT_MS = 5_000;

// Source maps.
/** A script in which the address of its map is searched; one with the map inside is larger than the map. */
export const MAX_SCRIPT_BYTES = 96 * 1024 * 1024;
/** Folders of a build, and how deep they are: more is another folder than a build. */
export const MAX_MAP_FOLDERS = 20_000;
export const MAX_MAP_DEPTH = 32;
/** A map that lies beside a program, which is read as its exception is sent: 8 MiB are read and searched in 0.3 s, in 40 MB of memory. */
export const LOCAL_MAP_BYTES = 8 * 1024 * 1024;
/** Such maps that are read in a minute: a program may throw in a loop. Of what was read, the answers are kept. */
export const LOCAL_MAPS_PER_MINUTE = 20;
/** Answers that are kept: those of some hundred exceptions. */
export const LOCAL_ANSWERS = 2_000;
/** A source file, if the map does not contain it. */
export const LOCAL_SOURCE_BYTES = 1024 * 1024;
