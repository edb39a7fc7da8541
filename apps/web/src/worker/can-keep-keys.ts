/** Whether this worker can store keys that cannot be read out, and get them back: those that tabs share cannot, in WebKit. */
export async function canKeepKeys(): Promise<boolean> {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt"]);
  try {
    // Storing makes a copy of this kind.
    structuredClone(key);
    return true;
  } catch {
    return false;
  }
}
