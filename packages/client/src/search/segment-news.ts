import type { SegmentListener } from "./search-index.ts";

/** What changed of the index, for whoever has segments of it at hand: nobody before the first search. */
export class SegmentNews {
  /** Called with what is durable. */
  listener: SegmentListener | undefined;

  readonly changed: SegmentListener = (conversationId, first, text) => this.listener?.(conversationId, first, text);
}
