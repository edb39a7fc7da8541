/**
 * Upper bounds of the variable-size fields. RFC 9420 bounds none of them below 2^30 bytes; a decoder that reads from the
 * network has to. Sizes are generous: X-Wing keys have 1,216 bytes, a tree of 10,000 leaves about 30 MB.
 */
export const limits: {
  readonly keyBytes: number;
  readonly macBytes: number;
  readonly hashBytes: number;
  readonly identifierBytes: number;
  readonly credentialBytes: number;
  readonly listBytes: number;
  readonly messageBytes: number;
  readonly treeLeaves: number;
} = {
  keyBytes: 16 * 1024,
  macBytes: 255,
  hashBytes: 255,
  identifierBytes: 64 * 1024,
  credentialBytes: 256 * 1024,
  listBytes: 64 * 1024,
  messageBytes: 64 * 1024 * 1024,
  treeLeaves: 1 << 20,
};
