/**
 * Remembers what a function gave for an object that never changes, such as a compiled playbook or a signal: what follows
 * from it is worked out once, and forgotten with it.
 */
export function remembered<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const held = new WeakMap<Key, Value>();
  return (key) => {
    const known = held.get(key);
    if (known !== undefined) return known;
    const fresh = make(key);
    held.set(key, fresh);
    return fresh;
  };
}
