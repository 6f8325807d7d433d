// The reasons for taking places out of use that a desk needs; the API knows more (docs/words.md).
export const REASONS: readonly string[] = [
  "repair", "maintenance", "broken", "cleaning", "inspection", "event", "wedding", "staff_training", "no_staff", "weather",
  "owner_use", "other",
];
