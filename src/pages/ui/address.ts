/** Addresses of this server: a path and what is asked for, with everything in it encoded. What is undefined or empty is left out. */
export function address(
  path: string,
  query: Record<string, string | number | undefined> = {},
): string {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") said.set(name, String(value));
  }
  return said.size === 0 ? path : `${path}?${said.toString()}`;
}
