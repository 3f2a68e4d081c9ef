/** Bounds of the redaction of secrets. */

/** Longer names are cut before they are compared: the longest that programs use has about 60 characters. */
export const MAX_SECRET_NAME = 128;

/** Names kept with their class: more than a program uses. */
export const MAX_CACHED_NAMES = 1_000;

/** How far before `:` or `=` a name, its closing quote and blanks may begin. */
export const MAX_NAME_DISTANCE = MAX_SECRET_NAME + 8;

/** The label of a PEM block: "ENCRYPTED PRIVATE KEY" has 21 characters. */
export const MAX_PEM_LABEL = 64;

/** Rules of one's own: each is compared at each place where its last character occurs. */
export const MAX_OWN_RULES = 50;

/** A shorter prefix would occur in ordinary text. */
export const MIN_PREFIX = 3;
export const MAX_PREFIX = 32;

/** Characters of a login before the `@`, and with it of a host: more are no address. */
export const MAX_USERINFO = 512;

/** How far before an option its command's name may be. */
export const MAX_COMMAND_DISTANCE = 120;

/** A user without a password in an address for HTTP is a token from this length on; names are shorter. */
export const MIN_URL_TOKEN = 16;

/** The longest least length that an own rule may ask for. */
export const MAX_RUN = 256;

/** Lines of a private key in a command's output: one of 16,384 bits has 200. More lines are output again. */
export const MAX_KEY_LINES = 256;

/**
 * What is read of a text over an event's limit, which is cut to 131,072 characters and 262,144 bytes at most: as many UTF-16 units as these
 * can have (43,690 characters of two units), and 4,096 more, because a secret may stand across the cut. It is read in a piece that is
 * longer by the room that secrets may take, and a longer one if that is not enough.
 */
export const MIN_READ = 176 * 1_024 + 4_096;
export const FIRST_READ = MIN_READ + 32 * 1_024;

/** The attributes of an element between its name and `>`. */
export const MAX_ATTRIBUTES = 128;

/** How far before the password of a netrc file its machine may be: a host and a user. */
export const MAX_NETRC = 256;
