/** The version that everything here reports; a test holds it equal to package.json's. */
export const VERSION = "2.0.0";
