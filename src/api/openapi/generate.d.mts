/** Where the document and the page's content are. */
export const folder: string;
/** Each file in the folder, with its text. */
export function generate(): Promise<{ [name: string]: string }>;
