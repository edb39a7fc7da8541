import { hash } from "node:crypto";

/** SHA-256 by node:crypto in one call: the fastest here for small inputs. */
export function sha256(data: Uint8Array): Uint8Array {
  return hash("sha256", data, "buffer");
}
