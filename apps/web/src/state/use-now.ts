import { useEffect, useState } from "react";

const roundMs = 30_000;

/** The time, anew every half minute. */
export function useNow(): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), roundMs);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}
