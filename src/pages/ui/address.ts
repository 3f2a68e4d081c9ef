/** A path with query parameters, encoded. Undefined and empty ones are left out. */
export function address(
  path: string,
  query: Record<string, string | number | undefined> = {},
): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") parameters.set(name, String(value));
  }
  return parameters.size === 0 ? path : `${path}?${parameters.toString()}`;
}
