/** How many bars a waveform has. */
export const peakCount = 64;
/** What is quieter than this, of 1, is silence: it is not made louder to be seen. */
const silence = 0.01;

/** How loud samples between -1 and 1 are, 0 to 1: the root of their mean square. */
export function loudnessOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const loudness = Math.sqrt(sum / Math.max(1, samples.length));
  return Number.isFinite(loudness) ? Math.min(1, loudness) : 0;
}

/**
 * A waveform of loudnesses, 0 to 1, taken in equal steps: {@link peakCount} bytes, each the loudest of its part, the loudest of all 255. All are 0 where
 * there is nothing but silence.
 */
export function peaksOf(loudnesses: ArrayLike<number>): Uint8Array {
  const { length } = loudnesses;
  const bars = Array.from({ length: peakCount }, (_, bar) => {
    const from = Math.floor((bar * length) / peakCount);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * length) / peakCount));
    let loudest = 0;
    for (let at = from; at < to; at++) loudest = Math.max(loudest, loudnesses[at] ?? 0);
    return loudest;
  });
  const loudest = Math.max(...bars);
  return Uint8Array.from(bars, (bar) => (loudest < silence ? 0 : Math.round((255 * bar) / loudest)));
}

/** A waveform of samples between -1 and 1. */
export function peaksOfSamples(samples: Float32Array): Uint8Array {
  const step = Math.max(1, Math.ceil(samples.length / (peakCount * 16)));
  const loudnesses = Array.from({ length: Math.ceil(samples.length / step) }, (_, at) =>
    loudnessOf(samples.subarray(at * step, (at + 1) * step)),
  );
  return peaksOf(loudnesses);
}
