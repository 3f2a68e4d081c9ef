/** The server's version. A test compares it with package.json, which the Worker's bundle leaves out. */
export const VERSION = "2.0.0";
