"""The objects that a service shows on D-Bus, with their properties, methods and signals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dbus_fast import DBusError, ErrorType, Message, Variant

OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
PROPERTIES = "org.freedesktop.DBus.Properties"


@dataclass(frozen=True)
class Reply:
    """What a method returns: values with their D-Bus signature, and file descriptors."""

    signature: str = ""
    body: tuple[Any, ...] = ()
    fds: tuple[int, ...] = ()


Method = Callable[[Message], Awaitable[Reply]]
Properties = dict[str, Variant]


@dataclass
class BusObject:
    """One object with one interface, as all of BlueZ's are."""

    path: str
    interface: str
    properties: Properties
    methods: Mapping[str, Method] = field(default_factory=dict)


class ObjectTree:
    """Hold the objects of a service, tell listeners what changes, and call their methods.

    Parameters
    ----------
    send
        Takes a message out to the bus; does nothing while there is no bus.
    """

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._objects: dict[str, BusObject] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._objects

    def __iter__(self) -> Iterator[BusObject]:
        return iter([*self._objects.values()])

    def add(self, item: BusObject) -> None:
        """Show an object: InterfacesAdded."""
        self._objects[item.path] = item
        self.announce(item)

    def announce(self, item: BusObject) -> None:
        """Say that an object is there."""
        interfaces = {item.interface: item.properties}
        self._signal("/", OBJECT_MANAGER, "InterfacesAdded", "oa{sa{sv}}", item.path, interfaces)

    def remove(self, path: str) -> None:
        """Take away an object: InterfacesRemoved."""
        item = self._objects.pop(path)
        self._signal("/", OBJECT_MANAGER, "InterfacesRemoved", "oas", path, [item.interface])

    def change(self, path: str, **values: Variant) -> None:
        """Set properties and tell it: PropertiesChanged."""
        item = self._objects[path]
        item.properties.update(values)
        self._changed(item, values, [])

    def invalidate(self, path: str, *names: str) -> None:
        """Take properties away and tell it."""
        item = self._objects[path]
        gone = [name for name in names if item.properties.pop(name, None) is not None]
        if gone:
            self._changed(item, {}, gone)

    async def call(self, message: Message) -> Reply:
        """Answer a method call, or raise the DBusError that is the answer."""
        if message.interface == OBJECT_MANAGER and message.member == "GetManagedObjects":
            found = {item.path: {item.interface: item.properties} for item in self}
            return Reply("a{oa{sa{sv}}}", (found,))
        item = self._objects.get(message.path or "")
        if item is None:
            raise DBusError(ErrorType.UNKNOWN_OBJECT, f"there is no {message.path} here")
        if message.interface == PROPERTIES and message.member in ("Get", "GetAll"):
            return self._properties(item, message)
        # `Properties.Set` is a method of the object: each decides what may be set.
        method = item.methods.get(message.member or "")
        if message.interface not in (item.interface, PROPERTIES) or method is None:
            text = f"{message.interface}.{message.member} does not exist on {item.path}"
            raise DBusError(ErrorType.UNKNOWN_METHOD, text)
        return await method(message)

    def _properties(self, item: BusObject, message: Message) -> Reply:
        if message.member == "GetAll":
            return Reply("a{sv}", (item.properties,))
        name = message.body[1]
        if name not in item.properties:
            raise DBusError(ErrorType.UNKNOWN_PROPERTY, f"{item.path} has no {name}")
        return Reply("v", (item.properties[name],))

    def _changed(self, item: BusObject, values: Properties, gone: list[str]) -> None:
        body = (item.interface, values, gone)
        self._signal(item.path, PROPERTIES, "PropertiesChanged", "sa{sv}as", *body)

    def _signal(self, path: str, interface: str, member: str, signature: str, *body: Any) -> None:
        self._send(Message.new_signal(path, interface, member, signature, [*body]))
