"""Pages for compliance staff and for members: server-rendered, in English and Chinese, readable without JavaScript."""

from benne.scoring.console.serving import console_routes, unread_page

__all__ = ["console_routes", "unread_page"]
