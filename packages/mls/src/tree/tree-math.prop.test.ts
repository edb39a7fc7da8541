import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MlsError } from "../errors.ts";
import { leafRange } from "./slots.ts";
import {
  directPath,
  isBelow,
  leafToNode,
  left,
  level,
  nodeCount,
  nodeToLeaf,
  parent,
  right,
  root,
  sibling,
  toLeafIndex,
} from "./tree-math.ts";
import type { NodeIndex } from "./tree-math.ts";

/** A tree's leaf count and one of its nodes. */
const places = fc
  .integer({ min: 0, max: 20 })
  .map((height) => 2 ** height)
  // Numbers below the tree's node count are its nodes.
  .chain((leafCount) =>
    fc.record({ leafCount: fc.constant(leafCount), node: fc.nat(nodeCount(leafCount) - 1).map((n) => n as NodeIndex) }),
  );

describe("tree math", () => {
  it("makes each node a child of its parent", () => {
    fc.assert(
      fc.property(places, ({ leafCount, node }) => {
        const above = parent(node, leafCount);
        if (above === undefined) {
          expect(node).toBe(root(leafCount));
          expect(sibling(node, leafCount)).toBeUndefined();
          return;
        }
        expect([left(above), right(above)]).toContain(node);
        expect(level(above)).toBe(level(node) + 1);
        const beside = sibling(node, leafCount);
        expect(beside).not.toBe(node);
        expect(beside === undefined ? undefined : sibling(beside, leafCount)).toBe(node);
      }),
    );
  });

  it("keeps nodes where they are when the tree grows", () => {
    fc.assert(
      fc.property(places, ({ leafCount, node }) => {
        if (node !== root(leafCount)) expect(parent(node, 2 * leafCount)).toBe(parent(node, leafCount));
        expect(left(root(2 * leafCount))).toBe(root(leafCount));
      }),
    );
  });

  it("gives each leaf a path of the tree's height to the root, of nodes it stands below", () => {
    fc.assert(
      fc.property(places, ({ leafCount, node }) => {
        const leaf = nodeToLeaf(node);
        if (leaf === undefined) {
          expect(level(node)).toBeGreaterThan(0);
          return;
        }
        expect(leafToNode(leaf)).toBe(node);
        const path = directPath(leaf, leafCount);
        expect(path.length).toBe(Math.log2(leafCount));
        if (leafCount > 1) expect(path.at(-1)).toBe(root(leafCount));
        for (const above of path) {
          expect(isBelow(leaf, above)).toBe(true);
          const [first, end] = leafRange(above);
          expect(leaf >= first && leaf < end).toBe(true);
          const other = [left(above), right(above)].filter((child) => child !== undefined && !isBelow(leaf, child));
          expect(other.length).toBe(1);
        }
      }),
    );
  });

  it("takes uint32 leaf indices only", () => {
    for (const value of [-1, 0.5, Number.NaN, 2 ** 32]) expect(() => toLeafIndex(value)).toThrow(MlsError);
    expect(toLeafIndex(0xffff_ffff)).toBe(0xffff_ffff);
  });
});
