import { confusableTable } from "./confusable-table.ts";

const likeness: ReadonlyMap<string, string> = readTable(confusableTable);

function readTable(table: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let source = 0;
  for (const entry of table.split(" ")) {
    const [step = "", targets = ""] = entry.split(",");
    if (targets === "") continue;
    source += Number.parseInt(step, 36);
    found.set(String.fromCodePoint(source), String.fromCodePoint(...targets.split(".").map((target) => Number.parseInt(target, 36))));
  }
  return found;
}

/**
 * What a name looks like: the skeleton of UTS 39, with compatible forms, case and spaces put aside. Names of which any two are equal
 * look alike. Two, because a capital I looks like a small l, and a name in capitals like the same in small letters.
 */
export function skeletonsOf(name: string): readonly [string, string] {
  return [skeleton(name), skeleton(name.toLowerCase())];
}

function skeleton(text: string): string {
  const plain = text.normalize("NFKD").replaceAll(/[\p{Default_Ignorable_Code_Point}\p{C}\p{White_Space}]/gu, "");
  const mapped = [...plain].map((character) => likeness.get(character) ?? character).join("");
  // What a mapping gives may be in another case than what it stands beside.
  return mapped.normalize("NFKD").toLowerCase();
}
