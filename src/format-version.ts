/** The version of the JSON documents; raised when a field is renamed or removed, never when one is added. */
export const FORMAT_VERSION = '1.0';
