/** A select element with a label for screen readers. */

type SelectProps = { name: string; label: string; now: string; options: Record<string, string> };

export function Select({ name, label, now, options }: SelectProps) {
  return (
    <label class="select">
      <span class="hidden">{label}</span>
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
