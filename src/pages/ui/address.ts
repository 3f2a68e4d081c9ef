export type AddressQuery = Record<string, string | number | string[] | undefined>;

/** A path with query parameters, encoded. Undefined and empty ones are left out; a list is repeated. */
export function address(path: string, query: AddressQuery = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== undefined && each !== "") parameters.append(name, String(each));
  }
  return parameters.size === 0 ? path : `${path}?${parameters.toString()}`;
}
