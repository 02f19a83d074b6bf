// The part of lru-cache that topic aliases use; the page never sends any.
export class LRUCache<K, V> extends Map<K, V> {
  constructor() {
    super();
  }
}
