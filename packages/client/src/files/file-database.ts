/** The name of the database in which a browser keeps the files of a profile: for whoever erases it without opening it. */
export function fileDatabase(profile: string): string {
  return `latchkey-files-${profile}`;
}
