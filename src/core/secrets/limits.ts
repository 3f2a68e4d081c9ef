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
