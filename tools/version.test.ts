import { expect, test } from "vitest";
import { checkVersions, productVersion } from "./version.js";

test("every package has the product's version, is of our scope and private, and the changelog knows it", () => {
  expect(productVersion()).toMatch(/^\d+\.\d+\.\d+/);
  expect(checkVersions()).toEqual([]);
});
