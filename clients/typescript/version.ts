/** VERSION is written by build.mjs, from package.json. */
export const VERSION = "2.0.0";

/** This package, as it names itself to the server. */
export const CLIENT = `datacat-typescript ${VERSION}`;
