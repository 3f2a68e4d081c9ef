/** This package, as it names itself to the server. Kept equal to package.json by a test. */
export const VERSION = "2.0.0";
export const CLIENT = `datacat-typescript ${VERSION}`;
