using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Guardian.Actors.Notifications;

/// <summary>
/// Work items as issues of a GitHub- or Gitea-compatible API: one open issue per item key, recurrences as comments, a counter in
/// the issue. An issue that people closed is left alone; the next occurrence opens another. These calls know no idempotency
/// key, so an attempt that may have arrived is looked for by its mark before it is made again.
/// </summary>
/// <param name="http">The process's client.</param>
/// <param name="api">The API's address, e.g. <c>https://api.github.com</c> or <c>https://git.example.org/api/v1</c>.</param>
/// <param name="repository"><c>owner/name</c>.</param>
/// <param name="token">The access token.</param>
internal sealed class IssueTracker(HttpDelivery http, Uri api, string repository, SecretSource token)
{
    /// <summary>Pages of 50 open issues that are searched for a mark; a tracker with more has its newest ones searched.</summary>
    private const int MaxPages = 10;

    private const int PageSize = 50;

    private readonly string _issues = $"{api.AbsoluteUri.TrimEnd('/')}/repos/{repository}/issues";

    public async Task<ChannelResult> SendAsync(Sending sending, CancellationToken cancellation)
    {
        var (secret, problem) = token.Read();
        if (problem is not null) return new ChannelResult.Retry(problem);
        try
        {
            return await CarryAsync(new Call(this, sending.Item.Key, secret, cancellation), sending).ConfigureAwait(false);
        }
        catch (NotAnswered e)
        {
            return e.Result;
        }
    }

    private static async Task<ChannelResult> CarryAsync(Call call, Sending sending)
    {
        var item = sending.Item;
        var issue = sending.Open?.Reference is { } reference ? await call.OpenAsync(reference).ConfigureAwait(false) : null;
        issue ??= await call.FindAsync(IssueText.ItemMark(item)).ConfigureAwait(false);
        if (issue is null)
        {
            if (item.CommentOnly) return ChannelResult.Ok; // nobody has it open: there is nothing to comment on
            var opened = await call.PostAsync("", new JsonObject { ["title"] = item.Title, ["body"] = IssueText.Opening(item) }).ConfigureAwait(false);
            return new ChannelResult.Delivered(Number(opened));
        }

        var number = Number(issue.Value);
        var body = issue.Value.TryGetProperty("body", out var text) ? text.GetString() ?? "" : "";
        if (body.Contains(IssueText.KeyMark(item), StringComparison.Ordinal)) return new ChannelResult.Delivered(number); // opened by this very key
        var known = sending.Open?.Reference == number ? sending.Open.Occurrences : IssueText.CountIn(body);
        var count = item.CommentOnly ? known : known + 1;
        if (!sending.Repeated || !await call.HasCommentAsync(number, item).ConfigureAwait(false))
            await call.PostAsync($"/{number}/comments", new JsonObject { ["body"] = IssueText.Comment(item, count) }).ConfigureAwait(false);
        if (!item.CommentOnly) await call.PatchAsync($"/{number}", new JsonObject { ["body"] = IssueText.WithCount(body, count, item.At) }).ConfigureAwait(false);
        return new ChannelResult.Delivered(number);
    }

    private static string Number(JsonElement issue) => issue.ValueKind == JsonValueKind.Object && issue.TryGetProperty("number", out var number) && number.TryGetInt64(out var value)
        ? value.ToString(CultureInfo.InvariantCulture)
        : throw new NotAnswered(new ChannelResult.Retry("the issue tracker's answer has no issue number"));

    private sealed class NotAnswered(ChannelResult result) : Exception
    {
        public ChannelResult Result => result;
    }

    /// <summary>The calls of one attempt.</summary>
    private sealed class Call(IssueTracker tracker, string key, string? secret, CancellationToken cancellation)
    {
        /// <summary>The issue while it is open; null where people closed or removed it.</summary>
        public async Task<JsonElement?> OpenAsync(string number)
        {
            var answer = await SendAsync(HttpMethod.Get, $"/{number}", null, gone: true).ConfigureAwait(false);
            return answer is { } issue && IsOpen(issue) ? issue : null;
        }

        public async Task<JsonElement?> FindAsync(string mark)
        {
            for (var page = 1; page <= MaxPages; page++)
            {
                // GitHub calls the size of a page per_page, Gitea limit.
                var query = string.Create(CultureInfo.InvariantCulture, $"?state=open&type=issues&page={page}&per_page={PageSize}&limit={PageSize}");
                var found = await SendAsync(HttpMethod.Get, query, null).ConfigureAwait(false);
                if (found is not { ValueKind: JsonValueKind.Array } issues || issues.GetArrayLength() == 0) return null;
                foreach (var issue in issues.EnumerateArray())
                    if (IsOpen(issue) && issue.TryGetProperty("body", out var body) && body.GetString()?.Contains(mark, StringComparison.Ordinal) == true)
                        return issue;
            }

            return null;
        }

        public async Task<bool> HasCommentAsync(string number, Deliver item)
        {
            var since = Uri.EscapeDataString(item.At.UtcDateTime.AddMinutes(-1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
            var found = await SendAsync(HttpMethod.Get, $"/{number}/comments?since={since}&per_page={PageSize}&limit={PageSize}", null).ConfigureAwait(false);
            return found is { ValueKind: JsonValueKind.Array } comments && comments.EnumerateArray()
                .Any(x => x.TryGetProperty("body", out var body) && body.GetString()?.Contains(IssueText.KeyMark(item), StringComparison.Ordinal) == true);
        }

        public async Task<JsonElement> PostAsync(string path, JsonObject body) => (await SendAsync(HttpMethod.Post, path, body).ConfigureAwait(false)) ?? default;

        public Task<JsonElement?> PatchAsync(string path, JsonObject body) => SendAsync(HttpMethod.Patch, path, body);

        private static bool IsOpen(JsonElement issue) => issue.ValueKind == JsonValueKind.Object && issue.TryGetProperty("state", out var state) && state.GetString() == "open";

        private async Task<JsonElement?> SendAsync(HttpMethod method, string path, JsonObject? body, bool gone = false)
        {
            (string, string)[] headers = [("Accept", "application/json"), ("User-Agent", "guardian"), .. secret is null ? [] : new[] { ("Authorization", "token " + secret) }];
            var answer = await tracker.Send(method, path, body is null ? null : Encoding.UTF8.GetBytes(body.ToJsonString()), key, headers, cancellation).ConfigureAwait(false);
            return answer switch
            {
                { Result: ChannelResult.Delivered } => answer.Body,
                { Status: 404 or 410 } when gone => null,
                // A token that is replaced later frees what waits.
                { Status: 401 or 403 } => throw new NotAnswered(new ChannelResult.Retry(string.Create(CultureInfo.InvariantCulture,
                    $"the issue tracker refuses the token ({answer.Status}); check Guardian:Tasks:Issues"))),
                _ => throw new NotAnswered(answer.Result),
            };
        }
    }

    private Task<HttpAnswer> Send(HttpMethod method, string path, byte[]? body, string key, (string, string)[] headers, CancellationToken cancellation) =>
        http.SendAsync(method, new Uri(_issues + path), body, "application/json", key, headers, read: true, cancellation, once: method == HttpMethod.Post);
}
