/** public/vendor/, and each file in it with what it is a copy of. */
export const folder: string;
export const COPIES: { to: string; from: string }[];
export const GENERATED: { name: string; to: string; text: () => string }[];
