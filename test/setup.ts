/**
 * Every Worker test file starts with modules that nothing has used, no Durable Object, and empty databases that are migrated as in
 * production. One workerd runs all files: to start one and to load all modules takes 3 s of CPU time.
 */
import { applyD1Migrations, reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";

vi.useRealTimers();
vi.unstubAllGlobals();

// reset() deletes objects that are in memory, with their data. What was idle for 10 s is not, and is taken there first.
const used = usedObjects();
const awake = [...used].map(([id, namespace]) =>
  runInDurableObject(namespace.get(namespace.idFromString(id)), () => {}),
);
await Promise.all(awake);
for (const database of [env.CATALOG, env.REGISTRY]) await database.prepare("SELECT 1").run();
await reset();
used.clear();
vi.resetModules();

await applyD1Migrations(env.CATALOG, env.CATALOG_MIGRATIONS);
await applyD1Migrations(env.REGISTRY, env.REGISTRY_MIGRATIONS);

/** The ids of all objects that the tests or the Worker asked for, noted from the first file on. */
function usedObjects(): Map<string, DurableObjectNamespace> {
  const place = globalThis as { usedObjects?: Map<string, DurableObjectNamespace> };
  if (place.usedObjects) return place.usedObjects;
  const all = new Map<string, DurableObjectNamespace>();
  const namespaces = Object.getPrototypeOf(env.SESSIONS) as DurableObjectNamespace;
  const { get, getByName } = namespaces; // oxlint-disable-line typescript/unbound-method -- each is called with its namespace
  namespaces.get = noted(get);
  namespaces.getByName = noted(getByName);
  return (place.usedObjects = all);

  function noted<Arguments extends unknown[]>(find: (...args: Arguments) => DurableObjectStub) {
    return function (this: DurableObjectNamespace, ...args: Arguments) {
      const stub = find.apply(this, args);
      all.set(String(stub.id), this);
      return stub;
    };
  }
}
