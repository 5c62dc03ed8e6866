"""The numerics of IRC that this server uses, with their usual texts, and the lines of replies."""

from collections.abc import Iterable
from enum import StrEnum

from irchat.irc.irc_lines import build, cut


class Numeric(StrEnum):
    """A numeric, by its usual name."""

    RPL_WELCOME = "001"
    RPL_YOURHOST = "002"
    RPL_CREATED = "003"
    RPL_MYINFO = "004"
    RPL_ISUPPORT = "005"
    RPL_ENDOFSTATS = "219"
    RPL_UMODEIS = "221"
    RPL_LUSERCLIENT = "251"
    RPL_LUSEROP = "252"
    RPL_LUSERUNKNOWN = "253"
    RPL_LUSERCHANNELS = "254"
    RPL_LUSERME = "255"
    RPL_ADMINME = "256"
    RPL_ADMINLOC1 = "257"
    RPL_ADMINLOC2 = "258"
    RPL_ADMINEMAIL = "259"
    RPL_LOCALUSERS = "265"
    RPL_GLOBALUSERS = "266"
    RPL_SILELIST = "271"
    RPL_ENDOFSILELIST = "272"
    RPL_AWAY = "301"
    RPL_USERHOST = "302"
    RPL_ISON = "303"
    RPL_UNAWAY = "305"
    RPL_NOWAWAY = "306"
    RPL_WHOISUSER = "311"
    RPL_WHOISSERVER = "312"
    RPL_ENDOFWHO = "315"
    RPL_WHOISIDLE = "317"
    RPL_ENDOFWHOIS = "318"
    RPL_WHOISCHANNELS = "319"
    RPL_LISTSTART = "321"
    RPL_LIST = "322"
    RPL_LISTEND = "323"
    RPL_CHANNELMODEIS = "324"
    RPL_CREATIONTIME = "329"
    RPL_WHOISACCOUNT = "330"
    RPL_NOTOPIC = "331"
    RPL_WHOISBOT = "335"
    RPL_ENDOFINVITELIST = "337"
    RPL_INVITING = "341"
    RPL_ENDOFINVEXLIST = "347"
    RPL_ENDOFEXCEPTLIST = "349"
    RPL_VERSION = "351"
    RPL_WHOREPLY = "352"
    RPL_NAMREPLY = "353"
    RPL_WHOSPCRPL = "354"
    RPL_LINKS = "364"
    RPL_ENDOFLINKS = "365"
    RPL_ENDOFNAMES = "366"
    RPL_ENDOFBANLIST = "368"
    RPL_ENDOFWHOWAS = "369"
    RPL_INFO = "371"
    RPL_MOTD = "372"
    RPL_ENDOFINFO = "374"
    RPL_MOTDSTART = "375"
    RPL_ENDOFMOTD = "376"
    RPL_TIME = "391"
    ERR_UNKNOWNERROR = "400"
    ERR_NOSUCHNICK = "401"
    ERR_NOSUCHCHANNEL = "403"
    ERR_CANNOTSENDTOCHAN = "404"
    ERR_TOOMANYCHANNELS = "405"
    ERR_WASNOSUCHNICK = "406"
    ERR_TOOMANYTARGETS = "407"
    ERR_NOORIGIN = "409"
    ERR_INVALIDCAPCMD = "410"
    ERR_NORECIPIENT = "411"
    ERR_NOTEXTTOSEND = "412"
    ERR_INPUTTOOLONG = "417"
    ERR_UNKNOWNCOMMAND = "421"
    ERR_NOMOTD = "422"
    ERR_NONICKNAMEGIVEN = "431"
    ERR_ERRONEUSNICKNAME = "432"
    ERR_NICKNAMEINUSE = "433"
    ERR_USERNOTINCHANNEL = "441"
    ERR_NOTONCHANNEL = "442"
    ERR_USERONCHANNEL = "443"
    ERR_NONICKCHANGE = "447"
    ERR_NOTREGISTERED = "451"
    ERR_NEEDMOREPARAMS = "461"
    ERR_ALREADYREGISTERED = "462"
    ERR_PASSWDMISMATCH = "464"
    ERR_YOUREBANNEDCREEP = "465"
    ERR_UNKNOWNMODE = "472"
    ERR_INVITEONLYCHAN = "473"
    ERR_NEEDREGGEDNICK = "477"
    ERR_NOPRIVILEGES = "481"
    ERR_CHANOPRIVSNEEDED = "482"
    ERR_NOOPERHOST = "491"
    ERR_UMODEUNKNOWNFLAG = "501"
    ERR_USERSDONTMATCH = "502"
    ERR_HELPNOTFOUND = "524"
    ERR_CANNOTSENDTOUSER = "531"
    RPL_HELPSTART = "704"
    RPL_HELPTXT = "705"
    RPL_ENDOFHELP = "706"
    RPL_MONONLINE = "730"
    RPL_MONOFFLINE = "731"
    RPL_MONLIST = "732"
    RPL_ENDOFMONLIST = "733"
    ERR_MONLISTFULL = "734"
    RPL_LOGGEDIN = "900"
    RPL_SASLSUCCESS = "903"
    ERR_SASLFAIL = "904"
    ERR_SASLTOOLONG = "905"
    ERR_SASLABORTED = "906"
    ERR_SASLALREADY = "907"
    RPL_SASLMECHS = "908"


N = Numeric

TEXTS: dict[Numeric, str] = {
    N.RPL_ENDOFSTATS: "End of /STATS report",
    N.RPL_LUSEROP: "operator(s) online",
    N.RPL_LUSERUNKNOWN: "unregistered connections",
    N.RPL_LUSERCHANNELS: "channels formed",
    N.RPL_ENDOFSILELIST: "End of SILENCE list",
    N.RPL_UNAWAY: "You are no longer marked as being away",
    N.RPL_NOWAWAY: "You have been marked as being away",
    N.RPL_ENDOFWHO: "End of WHO list",
    N.RPL_WHOISIDLE: "seconds idle, signon time",
    N.RPL_ENDOFWHOIS: "End of /WHOIS list",
    N.RPL_LISTSTART: "Users  Name",
    N.RPL_LISTEND: "End of /LIST",
    N.RPL_WHOISACCOUNT: "is logged in as",
    N.RPL_NOTOPIC: "No topic is set",
    N.RPL_WHOISBOT: "is a bot",
    N.RPL_ENDOFINVITELIST: "End of /INVITE list",
    N.RPL_ENDOFINVEXLIST: "End of channel invite list",
    N.RPL_ENDOFEXCEPTLIST: "End of channel exception list",
    N.RPL_ENDOFLINKS: "End of /LINKS list",
    N.RPL_ENDOFNAMES: "End of /NAMES list",
    N.RPL_ENDOFBANLIST: "End of channel ban list",
    N.RPL_ENDOFWHOWAS: "End of WHOWAS",
    N.RPL_ENDOFINFO: "End of /INFO list",
    N.RPL_ENDOFMOTD: "End of /MOTD command",
    N.ERR_NOSUCHNICK: "No such nick",
    N.ERR_NOSUCHCHANNEL: "No such channel",
    N.ERR_CANNOTSENDTOCHAN: "Cannot send to channel",
    N.ERR_TOOMANYCHANNELS: "You are in too many channels",
    N.ERR_WASNOSUCHNICK: "There was no such nickname",
    N.ERR_TOOMANYTARGETS: "Too many targets",
    N.ERR_NOORIGIN: "No origin specified",
    N.ERR_INVALIDCAPCMD: "Invalid CAP subcommand",
    N.ERR_NORECIPIENT: "No recipient given",
    N.ERR_NOTEXTTOSEND: "No text to send",
    N.ERR_INPUTTOOLONG: "Input line was too long",
    N.ERR_UNKNOWNCOMMAND: "Unknown command",
    N.ERR_NOMOTD: "MOTD File is missing",
    N.ERR_NONICKNAMEGIVEN: "No nickname given",
    N.ERR_ERRONEUSNICKNAME: "Erroneous nickname",
    N.ERR_NICKNAMEINUSE: "Nickname is already in use",
    N.ERR_USERNOTINCHANNEL: "They aren't on that channel",
    N.ERR_NOTONCHANNEL: "You're not on that channel",
    N.ERR_USERONCHANNEL: "is already on channel",
    N.ERR_NONICKCHANGE: "Your nick is the name of your account and does not change",
    N.ERR_NOTREGISTERED: "You have not registered",
    N.ERR_NEEDMOREPARAMS: "Not enough parameters",
    N.ERR_ALREADYREGISTERED: "You may not reregister",
    N.ERR_PASSWDMISMATCH: "Password incorrect",
    N.ERR_YOUREBANNEDCREEP: "You are banned from this server",
    N.ERR_UNKNOWNMODE: "is unknown mode char to me",
    N.ERR_INVITEONLYCHAN: "Cannot join channel (+i)",
    N.ERR_NEEDREGGEDNICK: "Sign in first: /msg NickServ HELP",
    N.ERR_NOPRIVILEGES: "Permission denied: administrators are named on the server",
    N.ERR_CHANOPRIVSNEEDED: "You're not a channel operator",
    N.ERR_NOOPERHOST: "Administrators are named on the server, and use /msg *irchat !help",
    N.ERR_UMODEUNKNOWNFLAG: "Unknown MODE flag",
    N.ERR_USERSDONTMATCH: "Can't change mode for other users",
    N.ERR_HELPNOTFOUND: "Help not found",
    N.ERR_CANNOTSENDTOUSER: "You cannot send messages to this user",
    N.RPL_ENDOFMONLIST: "End of MONITOR list",
    N.ERR_MONLISTFULL: "Monitor list is full",
    N.RPL_SASLSUCCESS: "SASL authentication successful",
    N.ERR_SASLFAIL: "SASL authentication failed",
    N.ERR_SASLTOOLONG: "SASL message too long",
    N.ERR_SASLABORTED: "SASL authentication aborted",
    N.ERR_SASLALREADY: "You have already authenticated using SASL",
    N.RPL_SASLMECHS: "are available SASL mechanisms",
}
"""The usual texts. Other numerics have a text of their own each time."""


class ServerLines:
    """Builds the lines of a server named ``name``: numerics, standard replies (IRCv3 standard-replies) and notices."""

    def __init__(self, name: str) -> None:
        self.name = name

    def numeric(self, numeric: Numeric, nick: str, *params: str, text: str | None = None) -> bytes:
        """Return a numeric to ``nick``. Without ``text`` it has its usual one, if there is one."""
        return build(numeric.value, nick, *params, source=self.name, text=TEXTS.get(numeric) if text is None else text)

    def fail(self, command: str, code: str, *context: str, text: str) -> bytes:
        """Return the line that says that a command failed."""
        return build("FAIL", command, code, *context, source=self.name, text=text)

    def line(self, command: str, *params: str, text: str | None = None) -> bytes:
        """Return any other line of the server."""
        return build(command, *params, source=self.name, text=text)

    def notices(self, source: str, nick: str, texts: Iterable[str]) -> bytes:
        """Return texts of one line as notices, long ones cut. ``source``: a full prefix, see `service_prefix`."""
        return b"".join(
            build("NOTICE", nick, source=source, text=piece) for text in texts for piece in cut(text or " ")
        )

    def error(self, text: str) -> bytes:
        """Return the last line before the server closes the connection."""
        return build("ERROR", text=text)


def service_prefix(service: str) -> str:
    """Return the source of the notices of ``*irchat`` or ``NickServ``: ``*irchat!irchat@irchat``."""
    return f"{service}!irchat@irchat"
