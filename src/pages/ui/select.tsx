/** A choice among words, with its label for those who hear the page. */

type SelectProps = { name: string; word: string; now: string; options: Record<string, string> };

export function Select({ name, word, now, options }: SelectProps) {
  return (
    <label class="select">
      <span class="hidden">{word}</span>
      <select name={name}>
        {Object.entries(options).map(([value, shown]) => (
          <option value={value} selected={value === now}>
            {shown}
          </option>
        ))}
      </select>
    </label>
  );
}
