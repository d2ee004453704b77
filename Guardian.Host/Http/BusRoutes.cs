using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Guardian.Actors.Bus;
using Guardian.Host.Http.Security;

namespace Guardian.Host.Http;

/// <summary>The bus over HTTP: publish and stream. The hot path: no binder, no log line, no exception for a refusal.</summary>
internal static class BusRoutes
{
    /// <summary>Streams at once on this node; each holds a connection and a bounded queue.</summary>
    public const int MaxStreams = 1_000;

    public static void Map(ApiRoutes routes)
    {
        var open = new StreamCount(MaxStreams);
        routes.Map("POST", "/api/v1/bus/{topic?}", Rights.Bus, "Publish; the body is the message, at most 256 KiB",
            call => PublishAsync(routes.Api, call), ApiJson.Default.PublishAnswer, success: 202);
        routes.Map("GET", "/api/v1/bus/{topicPattern}/stream", Rights.Bus, "Subscribe: server-sent events, one message each",
            call => StreamAsync(routes.Api, call, open));
    }

    private static async Task PublishAsync(ApiContext api, ApiCall call)
    {
        var http = call.Http;
        var max = call.Guardian.Options.Bus.MaxBodyBytes;
        if (await ApiBodies.ReadAsync(http.Request, max) is not { } body)
        {
            await ApiBodies.TooLarge(http, max);
            return;
        }

        var topic = call.Route("topic");
        var result = api.Bus.Publish(call.Guardian, call.Caller.Name, topic, body, http.Request.ContentType);
        await (result.Accepted
            ? ApiBodies.JsonAsync(http, new PublishAnswer(result.MessageId!, topic), ApiJson.Default.PublishAnswer, 202)
            : RefuseAsync(call, result, topic, max));
    }

    private static async Task StreamAsync(ApiContext api, ApiCall call, StreamCount open)
    {
        if (!open.TryEnter())
        {
            await Problems.TooMany(call.Http, "too-many-streams", "Too many streams", $"at most {MaxStreams} at once on a node", null);
            return;
        }

        try
        {
            var pattern = call.Route("topicPattern");
            var (result, stream) = api.Bus.OpenStream(call.Guardian, call.Caller.Name, pattern);
            if (stream is null)
            {
                await RefuseAsync(call, result, pattern, call.Guardian.Options.Bus.MaxBodyBytes);
                return;
            }

            using (stream)
            using (var ends = CancellationTokenSource.CreateLinkedTokenSource(call.Cancellation, api.Stopping))
            {
                await new SseResponse(call.Http, api.Time).PumpAsync(stream.Reader, WriteMessage,
                    () => api.Gate.StillAdmits(call.Http, call.Caller, Rights.Bus) && api.Bus.MayHear(call.Guardian, call.Caller.Name, pattern), ends.Token);
            }
        }
        finally
        {
            open.Leave();
        }
    }

    private static Task RefuseAsync(ApiCall call, in PublishResult result, string topic, int max) => result.Outcome switch
    {
        PublishOutcome.AclDenied => Problems.AclDenied(call.Http, topic, result.Rule),
        PublishOutcome.Blacklisted => Problems.Blacklisted(call.Http, call.Caller.Name, result.Until),
        PublishOutcome.RateLimited => Problems.TooMany(call.Http, "rate-limited", "Too many messages", $"a rate limit holds on '{topic}'; /api/v1/mitigations shows it where it is not the policy's", result.RetryAfter),
        PublishOutcome.QueueFull => Problems.TooMany(call.Http, "queue-full", "A subscriber's queue is full", $"a subscriber of '{topic}' does not keep up", result.RetryAfter),
        PublishOutcome.TooLarge => ApiBodies.TooLarge(call.Http, max),
        PublishOutcome.InvalidTopic => Problems.Write(call.Http, 400, "invalid-topic", "The topic is not valid",
            "1 to 255 characters in dot-separated segments, none empty, without control characters; '*' and '>' in subscriptions only"),
        PublishOutcome.InvalidContentType => Problems.Write(call.Http, 400, "invalid-content-type", "The Content-Type is not valid",
            string.Create(CultureInfo.InvariantCulture, $"at most {ContentTypes.MaxLength} characters, without control characters")),
        PublishOutcome.Draining => Problems.Unavailable(call.Http, "draining", "The node is starting or shutting down", "send to another node, or again in a moment"),
        _ => Problems.Unavailable(call.Http, "revoked", "The bus is restarting", "send again"),
    };

    private static void WriteMessage(SseWriter sse, BusMessage message)
    {
        sse.Begin(message.Id, null);
        sse.Json.WriteStartObject();
        sse.Json.WriteString("id"u8, message.Id);
        sse.Json.WriteString("topic"u8, message.Topic);
        sse.Json.WriteString("principal"u8, message.Principal);
        sse.Json.WriteString("at"u8, message.At);
        if (message.ContentType is { } type) sse.Json.WriteString("contentType"u8, type);
        if (System.Text.Unicode.Utf8.IsValid(message.Body.Span))
        {
            sse.Json.WriteString("body"u8, message.Body.Span);
        }
        else
        {
            sse.Json.WriteString("encoding"u8, "base64"u8);
            sse.Json.WriteBase64String("body"u8, message.Body.Span);
        }

        sse.Json.WriteEndObject();
        sse.End();
    }
}
