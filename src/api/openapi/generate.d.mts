/** Where the document is. */
export const file: string;
/** The document as text. */
export function generate(): string;
