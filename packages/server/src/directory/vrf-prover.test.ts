import { fromHex, toHex } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { nobleVrfProver, TransparencyError, vrfProofToHash, vrfVerify } from "@latchkey/transparency";
import { describe, expect, it } from "vitest";
import { sodiumVrfProver } from "./vrf-prover.ts";

describe("the server's VRF prover", () => {
  it("makes the proof of RFC 9381 appendix B.3, example 17", async () => {
    const prover = await sodiumVrfProver(fromHex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
    expect(toHex(prover.publicKey)).toBe("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    expect(toHex(prover.prove(Uint8Array.of(0x72)))).toBe(
      "f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed5933bf0864a62558b3ed7f2fea45c92a465301b3bbf5e3e54ddf2d935be3b67926da3ef39226bbc355bdc9850112c8f4b02",
    );
  });

  it("gives the same bytes as the pure one for 200 inputs under 8 keys", async () => {
    const random = seededRandom("vrf provers");
    for (let key = 0; key < 8; key++) {
      const seed = random(32);
      const fast = await sodiumVrfProver(seed);
      const pure = nobleVrfProver(seed);
      expect(fast.publicKey).toEqual(pure.publicKey);
      for (let i = 0; i < 25; i++) {
        const alpha = random(i * 3);
        const pi = fast.prove(alpha);
        expect(pi).toEqual(pure.prove(alpha));
        if (i % 5 === 0) expect(vrfVerify(fast.publicKey, alpha, pi)).toEqual(vrfProofToHash(pi));
      }
    }
  });

  it("refuses a key of another length", async () => {
    for (const size of [0, 31, 64]) await expect(sodiumVrfProver(new Uint8Array(size))).rejects.toBeInstanceOf(TransparencyError);
  });
});
