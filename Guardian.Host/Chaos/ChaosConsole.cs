using System.Globalization;
using System.Text;
using System.Text.Json;
using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Reports;
using Spectre.Console;

namespace Guardian.Host.Chaos;

/// <summary>Progress lines and the closing table; with <c>--json</c> nothing but one JSON object at the end.</summary>
internal sealed class ChaosConsole(TextWriter output, TextWriter errors, bool json, bool terminal, TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    public void Progress(string scenario, string phase)
    {
        if (!json) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.GetElapsedTime(_start).TotalSeconds,6:0.0} s  {scenario}: {phase}"));
    }

    public void Done(DrillReport drill)
    {
        Progress(drill.Plan.Scenario.Name, drill.Judgement.Verdict.Name());
        if (json) return;
        foreach (var reason in drill.Judgement.Reasons) output.WriteLine($"            {reason}");
    }

    public void Skipped(string scenario, string missing) => Progress(scenario, $"left out, this machine lacks something: {missing}");

    public void Error(string message) => errors.WriteLine(message);

    public void Line(string text)
    {
        if (!json) output.WriteLine(text);
    }

    public void Closing(ChaosReport report, string folder)
    {
        if (json)
        {
            using var buffer = new MemoryStream();
            using (var writer = new Utf8JsonWriter(buffer)) JsonReport.Write(writer, report);
            output.WriteLine(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
            return;
        }

        output.WriteLine();
        Table(report);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{report.Passed} of {report.Drills.Count} passed ({(report.Drills.Count == 0 ? 0 : 100.0 * report.Passed / report.Drills.Count):0.#} %): {report.Worst.Name()}"));
        foreach (var skipped in report.Skipped) output.WriteLine($"left out: {skipped.Scenario}: {skipped.Missing}");
        output.WriteLine($"report:  {folder}");
        output.WriteLine($"replay:  {report.Replay}");
    }

    public void Coverage(IReadOnlyList<CoverageRow> rows)
    {
        if (json)
        {
            using var buffer = new MemoryStream();
            using (var writer = new Utf8JsonWriter(buffer))
            {
                writer.WriteStartArray();
                foreach (var row in rows)
                {
                    writer.WriteStartObject();
                    writer.WriteString("kind", row.Kind);
                    writer.WriteString("name", row.Name);
                    writer.WriteStartArray("scenarios");
                    foreach (var by in row.By) writer.WriteStringValue(by);
                    writer.WriteEndArray();
                    if (row.Reason is not null) writer.WriteString("reason", row.Reason);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            }

            output.WriteLine(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
            return;
        }

        Rows(["", "name", "exercised by"], rows.Select(x => new[] { x.Kind, x.Name, x.Covered ? string.Join(", ", x.By) : x.Reason is { } reason ? $"not yet: {reason}" : "nothing" }));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rows.Count(x => x.Covered)} of {rows.Count} exercised"));
        foreach (var missing in Guardian.Actors.Chaos.Coverage.Missing(rows)) output.WriteLine($"no scenario exercises the playbook {missing.Name}; add one, or a reason to scenarios/{Guardian.Actors.Chaos.Coverage.ExceptionsFile}");
    }

    /// <summary>The report that a running node gave.</summary>
    public void Remote(JsonElement report, string folder)
    {
        if (json)
        {
            output.WriteLine(report.GetRawText());
            return;
        }

        output.WriteLine();
        string Milliseconds(JsonElement drill, string name) => drill.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            ? TextReports.Time(TimeSpan.FromMilliseconds(value.GetDouble())) : "–";
        Rows(["scenario", "verdict", "detect", "act", "recover"], [.. report.GetProperty("drills").EnumerateArray().Select(x => new[]
        {
            x.GetProperty("scenario").GetString()!, x.GetProperty("verdict").GetString()!, Milliseconds(x, "detectMs"), Milliseconds(x, "actMs"), Milliseconds(x, "recoverMs"),
        })]);
        foreach (var drill in report.GetProperty("drills").EnumerateArray())
        {
            foreach (var reason in drill.GetProperty("reasons").EnumerateArray()) output.WriteLine($"{drill.GetProperty("scenario").GetString()}: {reason.GetString()}");
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.GetProperty("passed").GetInt32()} of {report.GetProperty("total").GetInt32()} passed: {report.GetProperty("verdict").GetString()}"));
        output.WriteLine($"report:  {folder}");
        output.WriteLine($"replay:  {report.GetProperty("replay").GetString()}");
    }

    public void List(IReadOnlyList<Scenario> scenarios)
    {
        if (json)
        {
            using var buffer = new MemoryStream();
            using (var writer = new Utf8JsonWriter(buffer))
            {
                writer.WriteStartArray();
                foreach (var scenario in scenarios)
                {
                    writer.WriteStartObject();
                    writer.WriteString("name", scenario.Name);
                    writer.WriteString("id", scenario.Id);
                    writer.WriteString("title", scenario.Title);
                    writer.WriteNumber("severity", scenario.Severity);
                    if (scenario.VariantOf is { } of) writer.WriteString("variantOf", of);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            }

            output.WriteLine(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
            return;
        }

        Rows(["scenario", "run as", "fault", "title"],
            scenarios.Select(x => new[] { x.Name, x.VariantOf is null ? x.Id : x.Name, x.Fault is { } f ? string.Join(" + ", x.Also.Select(a => a.Fault.Name).Prepend(f.Fault.Name)) : "none", x.Title }));
    }

    private void Table(ChaosReport report) => Rows(["scenario", "verdict", "detect", "act", "recover", "banned", "resolved", "flood refused", "p99 quiet", "p99 fault"],
        report.Drills.Select(x =>
        {
            var (clocks, flood, latency) = (x.Judgement.Clocks, x.Record.Flood, x.Judgement.Latency);
            return new[]
            {
                x.Plan.Scenario.Name, x.Judgement.Verdict.Name(), TextReports.Time(clocks.Detect), TextReports.Time(clocks.Act), TextReports.Time(clocks.Recover),
                TextReports.Time(clocks.Banned), TextReports.Time(clocks.Resolve),
                flood.Sent == 0 ? "–" : string.Create(CultureInfo.InvariantCulture, $"{flood.Refused}/{flood.Sent}"),
                TextReports.Time(latency?.Quiet), TextReports.Time(latency?.Flooded),
            };
        }));

    private void Rows(string[] header, IEnumerable<string[]> rows)
    {
        if (!terminal)
        {
            Plain(header, [.. rows]);
            return;
        }

        var table = new Table().Border(TableBorder.Rounded);
        foreach (var name in header) table.AddColumn(new TableColumn(name).NoWrap());
        foreach (var row in rows) table.AddRow([.. row.Select(x => new Markup(Coloured(x)))]);
        AnsiConsole.Write(table);
    }

    private void Plain(string[] header, List<string[]> rows)
    {
        var widths = header.Select((x, i) => rows.Select(r => r[i].Length).Append(x.Length).Max()).ToArray();
        foreach (var row in rows.Prepend(header))
            output.WriteLine(string.Join("  ", row.Select((x, i) => x.PadRight(widths[i]))).TrimEnd());
    }

    private static string Coloured(string text) => text switch
    {
        "pass" => "[green]pass[/]",
        "fail" or "unsafe" or "undo_unproven" => $"[red]{text}[/]",
        "inconclusive" or "aborted" or "harness_error" => $"[yellow]{text}[/]",
        _ => Markup.Escape(text),
    };
}
