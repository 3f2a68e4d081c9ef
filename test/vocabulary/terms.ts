/** The words that the vocabulary replaces, each with what to write. `.github/CONTRIBUTING.md` has the terms themselves. */

export type Replaced = {
  /** Whole words in lower case: parts of identifiers, file names and CSS classes count as words. */
  words: string[];
  instead: string;
  /** The only folders in which the word is replaced. Default: everywhere. */
  folders?: string[];
};

export const REPLACED: Replaced[] = [
  { words: ["tell", "tells", "telling", "told", "untold"], instead: "report, show, record, send" },
  { words: ["say", "says", "saying", "said"], instead: "state, report, record, print" },
  { words: ["word", "words"], instead: "text, label, status, value, op, observation" },
  { words: ["speak", "speaks", "speaking", "spoke", "spoken", "speech"], instead: "send, record" },
  { words: ["hear", "hears", "hearing", "heard"], instead: "receive; last contact" },
  { words: ["learn", "learns", "learning", "learned", "learnt"], instead: "observe, receive" },
  { words: ["beat", "beats", "beating"], instead: "heartbeat; send a heartbeat" },
  { words: ["nobody", "whoever", "somebody", "anybody"], instead: "the one who acts, by name" },
  { words: ["needle", "needles"], instead: "cursor" },
  { words: ["tape", "tapes"], instead: "timeline" },
  { words: ["strip", "strips", "stripped", "stripping"], instead: "chart, rollup; remove (verb)" },
  { words: ["lamp", "lamps"], instead: "status icon" },
  { words: ["ink"], instead: "text colour" },
  { words: ["ghost", "ghosts"], instead: "what it is" },
  { words: ["bench"], instead: "what it is", folders: ["src/pages", "public"] },
  { words: ["lay", "lays", "laying", "laid"], instead: "draw, place, align" },
  { words: ["climb", "climbs", "climbed", "climbing"], instead: "rise, increase; go up" },
  { words: ["film", "films"], instead: "session" },
  { words: ["head", "heads"], instead: "session index, header, start" },
  { words: ["facts"], instead: "observations" },
  { words: ["forgive", "forgives", "forgiven", "pardon", "pardoned"], instead: "accept, ignore" },
  { words: ["beyond"], instead: "over, after, outside" },
  { words: ["introduce", "introduces", "introduced"], instead: "announce, declare, define" },
  { words: ["news"], instead: "what it is: ops, changes" },
  { words: ["mood"], instead: "state, status" },
  { words: ["bury", "buries", "buried"], instead: "reject, end" },
  { words: ["fate", "fates"], instead: "verdict, outcome" },
  { words: ["pulse", "pulses"], instead: "heartbeat, activity" },
  { words: ["calm", "calms"], instead: "quiet period, no change" },
  { words: ["doze", "dozes", "dozed"], instead: "wait, sleep" },
  { words: ["thinned", "thins", "thinning"], instead: "reduced, aggregated" },
  { words: ["headless"], instead: "without a header" },
  { words: ["farewell", "goodbye"], instead: "end op, last request" },
  { words: ["rescue", "rescues", "rescued"], instead: "recover, save" },
  { words: ["deaf"], instead: "does not answer, ignores" },
  { words: ["dead"], instead: "ended, gone, rejected" },
  { words: ["seal", "seals", "sealed", "sealing"], instead: "frame", folders: ["clients/go"] },
  { words: ["form", "forms"], instead: "format, encoding, shape" },
  { words: ["board", "boards"], instead: "what it is" },
  { words: ["digest", "digests"], instead: "segment summary" },
  { words: ["verdict", "verdicts"], instead: "result (of a batch)", folders: ["clients"] },
  { words: ["flight", "flights", "parcel", "parcels"], instead: "batch, request" },
  { words: ["may touch"], instead: "isAllowed, or what it checks" },
  { words: ["is passing"], instead: "what it checks" },
  { words: ["given"], instead: "passed, set; leave it out" },
  { words: ["know of", "knows of"], instead: "have, list" },
  { words: ["all of them"], instead: "all, with the noun" },
  { words: ["is like that"], instead: "a plain statement" },
  { words: ["for want of"], instead: "without" },
  { words: ["its last moment", "its last moments"], instead: "its end, its last seconds" },
];
