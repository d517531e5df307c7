/** `9,988`, of a whole number. Not by `toLocaleString`, whose first call in a process loads data for 15 ms. */
export const number = (value: number): string => String(value).replace(/\B(?=(?:\d{3})+$)/gu, ',');

/** `1 tenant`, `9,988 tenants`. */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${number(value)} ${value === 1 ? one : many}`;
