/** Mutations of one file: name, text, replacement, and where one survives, why. */
export const of = (file, tests, list) => list.map(([name, find, replace, survives]) => ({ name, file, find, replace, tests, survives }));
