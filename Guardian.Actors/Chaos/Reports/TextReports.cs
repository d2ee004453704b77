using System.Globalization;
using System.Text;
using System.Xml;

namespace Guardian.Actors.Chaos.Reports;

/// <summary><c>report.md</c> for people and <c>junit.xml</c> for build servers.</summary>
internal static class TextReports
{
    public static string Markdown(ChaosReport report)
    {
        var text = new StringBuilder();
        var line = CultureInfo.InvariantCulture;
        text.AppendLine(line, $"# Chaos: {report.Worst.Name()}").AppendLine();
        text.AppendLine(line, $"{report.Passed} of {report.Drills.Count} passed, seed {report.Seed}, {report.Target}, Guardian {report.Version}, {report.StartedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC").AppendLine();
        text.AppendLine("| scenario | verdict | detect | act | recover | banned | resolved | p99 quiet → fault | flood refused | operations |").AppendLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (var drill in report.Drills)
        {
            var (clocks, flood) = (drill.Judgement.Clocks, drill.Record.Flood);
            var latency = drill.Judgement.Latency is { } x ? $"{DrillJudge.Text(x.Quiet)} → {DrillJudge.Text(x.Flooded)}" : "–";
            var refused = flood.Sent == 0 ? "–" : string.Create(line, $"{flood.Refused}/{flood.Sent}");
            text.AppendLine(line, $"| {drill.Plan.Scenario.Name} | {drill.Judgement.Verdict.Name()} | {Time(clocks.Detect)} | {Time(clocks.Act)} | {Time(clocks.Recover)} | {Time(clocks.Banned)} | {Time(clocks.Resolve)} | {latency} | {refused} | {drill.Record.Operations.Count} |");
        }

        foreach (var drill in report.Drills.Where(x => x.Judgement.Reasons.Count > 0))
        {
            text.AppendLine().AppendLine(line, $"## {drill.Plan.Scenario.Name}: {drill.Judgement.Verdict.Name()}").AppendLine();
            foreach (var reason in drill.Judgement.Reasons) text.AppendLine(line, $"- {reason}");
        }

        foreach (var skipped in report.Skipped) text.AppendLine().AppendLine(line, $"Left out: {skipped.Scenario}: {skipped.Missing}");
        text.AppendLine().AppendLine("Replay:").AppendLine().AppendLine(line, $"    {report.Replay}");
        return text.ToString();
    }

    public static void JUnit(Stream stream, ChaosReport report)
    {
        using var xml = XmlWriter.Create(stream, new XmlWriterSettings { Indent = true, Encoding = new UTF8Encoding(false) });
        xml.WriteStartElement("testsuite");
        xml.WriteAttributeString("name", "guardian chaos");
        Number(xml, "tests", report.Drills.Count + report.Skipped.Count);
        Number(xml, "failures", report.Drills.Count(x => IsFailure(x.Judgement.Verdict)));
        Number(xml, "skipped", report.Skipped.Count);
        Number(xml, "errors", report.Drills.Count(x => x.Judgement.Verdict != Verdict.Pass && !IsFailure(x.Judgement.Verdict)));
        foreach (var drill in report.Drills)
        {
            var verdict = drill.Judgement.Verdict;
            xml.WriteStartElement("testcase");
            xml.WriteAttributeString("classname", "guardian.chaos");
            xml.WriteAttributeString("name", drill.Repetition == 1 ? drill.Plan.Scenario.Name : string.Create(CultureInfo.InvariantCulture, $"{drill.Plan.Scenario.Name}#{drill.Repetition}"));
            xml.WriteAttributeString("time", drill.Record.Ended.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture));
            if (verdict != Verdict.Pass)
            {
                xml.WriteStartElement(IsFailure(verdict) ? "failure" : "error");
                xml.WriteAttributeString("type", verdict.Name());
                xml.WriteAttributeString("message", Printable(drill.Judgement.Reasons.Count > 0 ? drill.Judgement.Reasons[0] : verdict.Name()));
                xml.WriteString(Printable(string.Join('\n', drill.Judgement.Reasons)));
                xml.WriteEndElement();
            }

            xml.WriteEndElement();
        }

        foreach (var skipped in report.Skipped)
        {
            xml.WriteStartElement("testcase");
            xml.WriteAttributeString("classname", "guardian.chaos");
            xml.WriteAttributeString("name", skipped.Scenario);
            xml.WriteStartElement("skipped");
            xml.WriteAttributeString("message", Printable(skipped.Missing));
            xml.WriteEndElement();
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    public static string Time(TimeSpan? time) => time is { } value ? DrillJudge.Text(value) : "–";

    private static bool IsFailure(Verdict verdict) => verdict is Verdict.Fail or Verdict.Unsafe;

    private static void Number(XmlWriter xml, string name, int value) => xml.WriteAttributeString(name, value.ToString(CultureInfo.InvariantCulture));

    private static string Printable(string text) => string.Concat(text.Where(x => XmlConvert.IsXmlChar(x)));
}
